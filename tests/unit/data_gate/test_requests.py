from pathlib import Path

import pytest

from interest_migration.data_gate.requests import digest_requests, request_files
from interest_migration.errors import DataError


def test_logged_requests_are_found_and_digested(tmp_path: Path):
    (tmp_path / "monday").mkdir()
    for name in ("monday/a.tfrecord", "b.tfrecord.gz", "notes.txt"):
        (tmp_path / name).write_bytes(b"1")
    assert [path.name for path in request_files(str(tmp_path))] == ["b.tfrecord.gz", "a.tfrecord"]
    before = digest_requests(str(tmp_path))
    (tmp_path / "notes.txt").write_bytes(b"2")
    assert digest_requests(str(tmp_path)) == before
    (tmp_path / "b.tfrecord.gz").write_bytes(b"2")
    assert digest_requests(str(tmp_path)) != before


def test_a_missing_folder_is_said(tmp_path: Path):
    with pytest.raises(DataError, match="expected a folder of logged requests"):
        request_files(str(tmp_path / "none"))
