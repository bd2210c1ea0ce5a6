"""Changes of what is served, on versions of a few bytes."""

import json
import multiprocessing
from functools import partial
from pathlib import Path

import pytest

from interest_migration.errors import DataError, ModelFilesError, RefusedError
from interest_migration.serving import moves
from interest_migration.serving.audit import read_audit
from interest_migration.serving.listing import Origin, list_model
from interest_migration.serving.model_config import Policy, Rollout, config_file, read_rollout, write_rollout
from interest_migration.serving.model_directory import write_file_list
from interest_migration.serving.reviews import Action, Review, record_review
from interest_migration.serving.rollouts import Author, Changed, change, record_push
from interest_migration.serving.versions import digest_files, list_versions, push_version, served_version

ADA = Author("Ada", "because")


def pinned(*versions: int, **labels: int) -> Rollout:
    return Rollout(Policy.SPECIFIC, versions, labels=labels)


@pytest.fixture
def served(tmp_path: Path) -> Path:
    directory = tmp_path / "served" / "interests"
    for number in (1, 2, 3):
        push(directory, number)
    return directory


def push(directory: Path, content: int, keep: int = 5) -> int:
    model = directory.parent.parent / f"m{content}"
    model.mkdir()
    (model / "saved_model.pb").write_text(f"graph {content}")
    done = push_version(model, directory, keep)
    record_push(done, Author("pipeline", "blessed by the gate"), run=f"run-{content}")
    return done.version.number


def move(directory: Path, name: str, *arguments: object, rehearse: bool = False, waits: list | None = None) -> Changed:
    function = moves.MOVES[name]
    waited = [] if waits is None else waits
    return change(
        directory,
        name,
        lambda now, present: function(now, present, *arguments),
        ADA,
        lambda versions: waited.append((versions, read_rollout(directory))),
        rehearse=rehearse,
    )


def without_base(rollout: Rollout) -> Rollout:
    return Rollout(rollout.policy, rollout.versions, rollout.newest, rollout.labels)


def test_a_pin_keeps_what_is_served_through_pushes_and_retention(served):
    move(served, "pin", 2)
    for content in range(4, 10):
        push(served, content, keep=2)
        assert served_version(served).number == 2
    assert [version.number for version in list_versions(served)] == [2, 8, 9]
    assert (served / "2" / "saved_model.pb").read_text() == "graph 2"


def test_labelled_and_loaded_versions_outlive_retention_too(served):
    write_rollout(served, Rollout(Policy.SPECIFIC, (1, 2), labels={"stable": 2, "old": 3}))
    for content in range(4, 8):
        push(served, content, keep=1)
    assert [version.number for version in list_versions(served)] == [1, 2, 3, 7]


def test_two_newest_versions_outlive_a_retention_of_one(served):
    write_rollout(served, Rollout(newest=2))
    push(served, 4, keep=1)
    assert [version.number for version in list_versions(served)] == [3, 4]


def test_a_damaged_file_stops_a_push_before_anything_is_copied(served):
    config_file(served).write_text("model_config_list {")
    with pytest.raises(DataError, match="ModelServerConfig"):
        push(served, 4)
    assert [entry.name for entry in sorted(served.iterdir())] == ["1", "2", "3"]


def test_a_server_has_loaded_a_version_before_its_label_moves(served):
    move(served, "pin", 3)
    waits = []
    changed = move(served, "pin", 1, waits=waits)
    assert changed.loaded_first == (1,)
    ((versions, between),) = waits
    assert versions == (1,)
    assert without_base(between) == pinned(1, 3, stable=3)
    assert without_base(read_rollout(served)) == pinned(1, stable=1)
    assert [entry.action for entry in read_audit(served.parent)][-2:] == ["load", "pin"]


def test_a_canary_from_label_to_promotion_and_back(served):
    for name, arguments in (("pin", (2,)), ("label", ("canary", 3)), ("promote", (None,))):
        move(served, name, *arguments)
    assert without_base(read_rollout(served)) == pinned(2, 3, stable=3)
    waits = []
    move(served, "rollback", [2], waits=waits)
    assert waits == []
    assert without_base(read_rollout(served)) == pinned(2, stable=2)


def test_a_rehearsal_writes_nothing(served):
    before = sorted(path.read_bytes() for path in served.parent.rglob("*") if path.is_file())
    changed = move(served, "pin", 1, rehearse=True)
    assert (changed.recorded, changed.loaded_first) == (False, (1,))
    assert changed.to_json()["before"]["serves"] == 3
    assert changed.to_json()["after"] == {"policy": {"specific": [1]}, "labels": {"stable": 1}, "serves": 1}
    assert sorted(path.read_bytes() for path in served.parent.rglob("*") if path.is_file()) == before


def test_the_audit_log_tells_who_when_why_and_both_states(served):
    move(served, "pin", 3)
    *pushes, pin = (json.loads(line) for line in (served.parent / "models.audit.jsonl").read_text().splitlines())
    assert [(line["version"], line["run"], line["by"]) for line in pushes] == [
        (number, f"run-{number}", "pipeline") for number in (1, 2, 3)
    ]
    assert (pushes[0]["before"]["serves"], pushes[0]["after"]["serves"]) == (None, 1)
    assert pin.pop("at").endswith("Z")
    assert pin == {
        "by": "Ada",
        "action": "pin",
        "model": "interests",
        "reason": "because",
        "before": {"policy": {"latest": 1}, "labels": {}, "serves": 3},
        "after": {"policy": {"specific": [3]}, "labels": {"stable": 3}, "serves": 3},
        "version": None,
        "run": "",
    }


def test_the_same_model_again_is_no_push(served):
    push_again = push_version(served / "3", served, keep=5)
    record_push(push_again, ADA)
    assert len(read_audit(served.parent)) == 3


def test_a_held_model_gets_no_request(served):
    review = Review(Action.HOLD, "Bob", "odd prices", "2026-01-02T03:04:05Z", "run-2", digest_files(served / "2"))
    record_review(served, review)
    for name, arguments in (("pin", (2,)), ("promote", (2,))):
        with pytest.raises(RefusedError, match="version 2 gets no requests: held by Bob"):
            move(served, name, *arguments)
    assert not config_file(served).exists()


def test_a_folder_that_is_no_model_gets_no_request(served):
    (served / "4").mkdir()
    with pytest.raises(DataError, match=r"expected a SavedModel in .*4, found no saved_model\.pb"):
        move(served, "pin", 4)


def test_a_served_version_that_is_gone_is_an_error(served):
    write_rollout(served, pinned(9, stable=9))
    with pytest.raises(DataError, match=r"expected the version that .*models.config serves .* found only 1, 2, 3"):
        served_version(served)


def test_the_listing_tells_origin_state_and_size(served):
    (served.parent / "models.audit.jsonl").unlink()
    push(served, 4)
    move(served, "pin", 2)
    move(served, "label", "canary", 4)
    told = list_model(served, {2: Origin("run-b", "2026-01-02T03:04:05Z"), 4: Origin("another", "")})
    assert {key: told[key] for key in ("model", "pinned", "serves", "unlabelled_requests")} == {
        "model": "interests",
        "pinned": True,
        "serves": 2,
        "unlabelled_requests": 4,
    }
    rows = [(row["version"], row["state"], row["labels"], row["run"], row["bytes"]) for row in told["versions"]]
    assert rows == [
        (4, "loaded", ["canary"], "run-4", 7),
        (3, "kept", [], "", 7),
        (2, "served", ["stable"], "run-b", 7),
        (1, "kept", [], "", 7),
    ]
    assert told["versions"][2]["pushed"] == "2026-01-02T03:04:05Z"


def pin_often(served: Path, versions: list[int]) -> None:
    for version in versions:
        move(served, "pin", version)


def push_often(served: Path) -> None:
    for content in range(10, 25):
        push(served, content, keep=1)


def test_pins_and_pushes_at_the_same_time_lose_no_served_version(served):
    move(served, "pin", 2)
    other = served.with_name("other")
    for content in (100, 101):
        push(other, content)
    context = multiprocessing.get_context("fork")
    works = [partial(push_often, served), partial(pin_often, served, [2] * 15), partial(pin_often, other, [1, 2] * 8)]
    processes = [context.Process(target=work) for work in works]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert served_version(served).number == 2
    assert served_version(other).number == 2
    assert [version.number for version in list_versions(served)] == [2, 18]
    assert len(read_audit(served.parent, "interests")) == 3 + 2 + 15 + 15


def test_a_version_whose_files_are_not_those_it_was_exported_with_gets_no_requests(served: Path) -> None:
    for version in ("2", "3"):
        (served / version / "assets.extra").mkdir()
        write_file_list(str(served / version))
    move(served, "promote", 2)
    (served / "3" / "saved_model.pb").write_text("gr")
    with pytest.raises(ModelFilesError, match=r"expected 7 bytes in .*3/saved_model.pb, received 2. Copy or export"):
        move(served, "promote", 3)
    assert read_rollout(served).labels == {"stable": 2}
