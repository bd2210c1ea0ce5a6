from pathlib import Path

import pytest

from interest_migration.storage.atomic import replacing


def test_the_file_appears_whole_and_the_temporary_one_is_gone(tmp_path: Path):
    target = tmp_path / "folder" / "a.txt"
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(IsADirectoryError), replacing(target) as temporary:
        temporary.write_text("half" + tmp_path.read_text())
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_temporary_file_lives_in_the_scratch_folder(tmp_path: Path):
    target, scratch = tmp_path / "out" / "a.txt", tmp_path / "scratch"
    with replacing(target, scratch=scratch) as temporary:
        assert temporary.parent == scratch
        temporary.write_text("x")
        assert list(target.parent.iterdir()) == []
    assert target.read_text() == "x"
