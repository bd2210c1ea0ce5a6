"""Which tests share a worker: those of a file, and the files that look at the run of one small platform."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups tests for `--dist loadgroup`."""
    of_shop = {item.path for item in items if item.path.parent.name == "e2e" and "shop" in item.fixturenames}
    for item in items:
        item.add_marker(pytest.mark.xdist_group("shop" if item.path in of_shop else str(item.path)))
