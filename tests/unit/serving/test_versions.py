import multiprocessing
import os
import re
import signal
import stat
import time
from pathlib import Path

import pytest

from interest_migration.errors import ContractError, DataError
from interest_migration.serving import versions
from interest_migration.serving.versions import digest_files, list_versions, newest_version, push_version


def make_model(folder: Path, weights: str = "w") -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text("graph")
    (folder / "variables" / "data").write_text(weights)
    return folder


@pytest.fixture
def served(tmp_path: Path) -> Path:
    return tmp_path / "served" / "interests"


def numbers(served: Path) -> list[int]:
    return [version.number for version in list_versions(served)]


def test_first_push_is_version_one(tmp_path: Path, served: Path) -> None:
    push = push_version(make_model(tmp_path / "m"), served, keep=3)
    assert (push.version.number, push.is_new) == (1, True)
    assert (served / "1" / "variables" / "data").read_text() == "w"
    assert sorted(entry.name for entry in served.iterdir()) == ["1"]


def test_the_same_content_is_not_pushed_twice(tmp_path: Path, served: Path) -> None:
    push_version(make_model(tmp_path / "a"), served, keep=3)
    again = push_version(make_model(tmp_path / "b"), served, keep=3)
    assert (again.version.number, again.is_new) == (1, False)
    assert numbers(served) == [1]


def test_content_of_an_older_version_is_pushed_again(tmp_path: Path, served: Path) -> None:
    for name, weights in (("a", "old"), ("b", "new"), ("c", "old")):
        push_version(make_model(tmp_path / name, weights), served, keep=5)
    assert numbers(served) == [1, 2, 3]


def test_numbers_go_on_after_the_highest_and_are_compared_as_numbers(tmp_path: Path, served: Path) -> None:
    for number in ("9", "10"):
        make_model(served / number, weights=number)
    assert push_version(make_model(tmp_path / "m"), served, keep=5).version.number == 11


def test_only_the_newest_stay(tmp_path: Path, served: Path) -> None:
    for number in range(4):
        push_version(make_model(tmp_path / f"m{number}", str(number)), served, keep=2)
    assert numbers(served) == [3, 4]
    assert sorted(entry.name for entry in served.iterdir()) == ["3", "4"]


def test_other_folders_are_left_alone(tmp_path: Path, served: Path) -> None:
    (served / "notes").mkdir(parents=True)
    push_version(make_model(tmp_path / "m"), served, keep=1)
    assert (served / "notes").is_dir()
    newest = newest_version(served)
    assert newest is not None
    assert newest.path == served / "1"


def test_no_folder_means_no_version(served: Path) -> None:
    assert newest_version(served) is None


def push_and_die_before_the_rename(model: Path, served: Path) -> None:
    versions._claim_number = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
    push_version(model, served, keep=3)


def test_a_push_killed_before_its_rename_shows_no_version_and_is_cleaned_up(tmp_path: Path, served: Path) -> None:
    model = make_model(tmp_path / "m")
    process = multiprocessing.get_context("fork").Process(target=push_and_die_before_the_rename, args=(model, served))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    (leftover,) = served.iterdir()
    assert (leftover / "saved_model.pb").exists()  # the copy was complete, the rename was not
    assert numbers(served) == []
    assert push_version(model, served, keep=3).version.number == 1
    assert [entry.name for entry in served.iterdir()] == ["1"]


def test_a_push_under_way_in_a_living_process_is_left_alone(tmp_path: Path, served: Path) -> None:
    under_way = served / f".pushing-{os.getpid()}-abcd1234"
    under_way.mkdir(parents=True)
    push_version(make_model(tmp_path / "m"), served, keep=3)
    assert under_way.is_dir()


def push_numbered(model: Path, served: Path) -> None:
    push_version(model, served, keep=100)


def test_pushes_at_the_same_time_lose_none(tmp_path: Path, served: Path) -> None:
    models = [make_model(tmp_path / f"m{number}", str(number)) for number in range(6)]
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=push_numbered, args=(model, served)) for model in models]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert numbers(served) == [1, 2, 3, 4, 5, 6]
    weights = {(served / str(n) / "variables" / "data").read_text() for n in range(1, 7)}
    assert weights == {"0", "1", "2", "3", "4", "5"}


def push_often(models: list[Path], served: Path) -> None:
    for model in models:
        push_version(model, served, keep=1)


def test_pushes_at_the_same_time_that_keep_one_version_do_not_disturb_each_other(
    tmp_path: Path, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_slowly(directory: Path) -> versions.Version | None:
        found = newest_version(directory)
        time.sleep(0.01)  # time for the others to remove it
        return found

    monkeypatch.setattr(versions, "newest_version", find_slowly)
    models = [make_model(tmp_path / f"m{number}", str(number)) for number in range(20)]
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=push_often, args=(models[part::4], served)) for part in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert numbers(served) == [20]


def test_a_watcher_never_sees_an_unfinished_version(tmp_path: Path, served: Path) -> None:
    models = [make_model(tmp_path / f"m{number}", str(number) * 100_000) for number in range(5)]
    context = multiprocessing.get_context("fork")
    process = context.Process(target=lambda: [push_version(model, served, keep=2) for model in models])
    process.start()
    seen = set()
    while process.is_alive():
        for version in list_versions(served):
            try:
                size = (version.path / "variables" / "data").stat().st_size
            except FileNotFoundError:
                assert not version.path.exists()  # removed by retention, whole
                continue
            seen.add(size)
        time.sleep(0.0005)
    assert process.exitcode == 0
    assert seen <= {100_000}


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    with pytest.raises(DataError, match=rf"received {re.escape(str(blocker / 'interests'))}: Not a directory"):
        push_version(make_model(tmp_path / "m"), blocker / "interests", keep=1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "served"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(DataError, match="Permission denied"):
        push_version(make_model(tmp_path / "m"), folder / "interests", keep=1)


def test_an_empty_model_is_refused(tmp_path: Path, served: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="found no file"):
        push_version(tmp_path / "empty", served, keep=1)


def test_keeping_none_is_refused(tmp_path: Path, served: Path) -> None:
    with pytest.raises(ContractError, match="at least 1"):
        push_version(make_model(tmp_path / "m"), served, keep=0)


def test_the_digest_sees_names_contents_and_boundaries(tmp_path: Path) -> None:
    digests = set()
    for name, files in {
        "a": {"x": "1", "y": "2"},
        "b": {"x": "12"},
        "c": {"y": "1", "x": "2"},
        "d": {"x1": "2"},
    }.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
        digests.add(digest_files(tmp_path / name))
    assert len(digests) == 4
