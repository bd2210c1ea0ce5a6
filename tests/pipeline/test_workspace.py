import multiprocessing
import os
from pathlib import Path

import pytest

from interest_migration.errors import DataError
from pipeline.workspace import keep_schema, locked, new_run_id


def hold(workspace: Path, held: "multiprocessing.synchronize.Event", free: "multiprocessing.synchronize.Event") -> None:
    with locked(workspace):
        held.set()
        free.wait(30)


def test_a_workspace_serves_one_run_at_a_time(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    held, free = context.Event(), context.Event()
    process = context.Process(target=hold, args=(tmp_path, held, free))
    process.start()
    held.wait(30)
    with pytest.raises(DataError, match=f"is used by process {process.pid}"), locked(tmp_path):
        pass
    process.kill()
    process.join(30)
    with locked(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_an_unusable_workspace_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(DataError, match=r"expected a folder that can be written, received .*file/w"),
        locked(tmp_path / "file" / "w"),
    ):
        pass


def test_run_ids_sort_by_time() -> None:
    ids = [new_run_id() for _ in range(50)]
    assert ids == sorted(ids)
    assert len(set(ids)) > 1


def test_a_schema_is_kept_under_a_path_that_follows_its_content(tmp_path: Path) -> None:
    schema = tmp_path / "schema.pbtxt"
    schema.write_text("one")
    first = keep_schema(schema, tmp_path / "w")
    assert keep_schema(schema, tmp_path / "w") == first
    schema.write_text("two")
    second = keep_schema(schema, tmp_path / "w")
    assert (first.read_text(), second.read_text()) == ("one", "two")
