"""Runs that several end-to-end tests look at."""

import pytest
from small_shop import Shop, open_shop
from span_chain import Chain, run_chain


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return open_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return run_chain(tmp_path_factory.mktemp("span-shop"))
