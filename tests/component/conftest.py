"""One exported model for all tests that ask one."""

import pytest


@pytest.fixture(scope="session")
def exported_run(tmp_path_factory):
    from exported_run import export_run

    return export_run(tmp_path_factory.mktemp("exported_run"))
