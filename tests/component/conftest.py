"""One exported model for all tests that ask one."""

import fcntl
import os

import pytest


@pytest.fixture(scope="session")
def exported_run(tmp_path_factory):
    """Made once, also where several processes run tests: the first one makes it, the others wait."""
    from exported_run import export_run, open_run

    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder, done = root / "exported_run", root / "exported_run.done"
    with (root / "exported_run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            export_run(folder)
            done.touch()
    return open_run(folder)
