"""Which served version is the base: versions of a few bytes with manifests written by hand."""

import json
import shutil
from pathlib import Path

import pytest

from interest_migration.errors import DataError
from interest_migration.serving.bases import find_base, name_version
from interest_migration.serving.model_config import Policy, Rollout, write_rollout
from interest_migration.serving.versions import list_versions

MANIFEST = {
    "format": 1,
    "model": {},
    "sizes": {},
    "variables": [],
    "vocabularies": {},
    "actions": [],
    "aggregates": [],
    "provenance": {"data": "", "base": "", "labels_end_s": 0, "held_out": ""},
}


def serve(directory: Path, number: int, data: str = "", base: str = "", **changes: object) -> str:
    """Writes a version and returns its name."""
    folder = directory / str(number)
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_text(f"model {number}")
    manifest = MANIFEST | {"provenance": MANIFEST["provenance"] | {"data": data, "base": base}} | changes
    (folder / "assets.extra" / "warm_start.json").write_text(json.dumps(manifest))
    return name_version(list_versions(directory)[-1])


def test_nothing_is_served(tmp_path):
    choice = find_base(tmp_path / "absent", "log")
    assert (choice.name, choice.path, choice.note) == ("none", None, "nothing is served yet")


def test_the_newest_version_of_another_log(tmp_path):
    serve(tmp_path, 9, data="first")
    name = serve(tmp_path, 10, data="second", base="9-x")
    choice = find_base(tmp_path, "third")
    assert (choice.name, choice.path, choice.note) == (name, tmp_path / "10", "")
    assert name.startswith("10-")


def test_the_log_of_the_newest_version_is_trained_from_what_was_served_before_it(tmp_path):
    first = serve(tmp_path, 1, data="a")
    before = find_base(tmp_path, "b")
    serve(tmp_path, 2, data="b", base=first)
    assert find_base(tmp_path, "b") == before
    assert before.path == tmp_path / "1"


def test_the_log_of_an_older_version_too(tmp_path):
    first = serve(tmp_path, 1, data="a")
    serve(tmp_path, 2, data="b", base=first)
    choice = find_base(tmp_path, "a")
    assert (choice.name, choice.path) == ("none", None)
    assert choice.note == "version 1 was trained on the same log, without a base"


def test_a_base_that_is_gone_keeps_its_name(tmp_path):
    first = serve(tmp_path, 1, data="a")
    serve(tmp_path, 2, data="b", base=first)
    shutil.rmtree(tmp_path / "1")
    choice = find_base(tmp_path, "b")
    assert (choice.name, choice.path) == (first, None)
    assert choice.note == f"version 2 was trained on the same log from {first}, which is served no longer"


def test_another_model_under_the_same_number_is_not_the_base(tmp_path):
    first = serve(tmp_path, 1, data="a")
    serve(tmp_path, 2, data="b", base=first)
    (tmp_path / "1" / "saved_model.pb").write_text("something else")
    assert find_base(tmp_path, "b").path is None


@pytest.mark.parametrize("data", ["", "log"])
def test_versions_that_do_not_say_what_they_learned_from_are_bases(tmp_path, data):
    serve(tmp_path, 1, data="")
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "saved_model.pb").write_text("exported by an older release")
    assert find_base(tmp_path, data).path == tmp_path / "2"


def test_a_format_of_the_future_is_not_read(tmp_path):
    serve(tmp_path, 1, data="log", format=2, model="no longer a dictionary")
    assert find_base(tmp_path, "log").path == tmp_path / "1"


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"format": 1}', '{"model": {}}'])
def test_a_damaged_manifest_is_named(tmp_path, text):
    serve(tmp_path, 1)
    path = tmp_path / "1" / "assets.extra" / "warm_start.json"
    path.write_text(text)
    with pytest.raises(DataError, match=f"expected the account of an exported model in {path}, received a damaged"):
        find_base(tmp_path, "log")


def test_the_pinned_version_is_the_base_and_not_a_newer_one(tmp_path):
    directory = tmp_path / "interests"
    first = serve(directory, 1, data="a")
    serve(directory, 2, data="b", base=first)
    write_rollout(directory, Rollout(Policy.SPECIFIC, (1, 2), labels={"stable": 1, "canary": 2}))
    choice = find_base(directory, "c")
    assert (choice.name, choice.path) == (first, directory / "1")
    assert find_base(directory, "b").name == first
