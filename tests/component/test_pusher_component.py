import json
from pathlib import Path

import pytest
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.pusher import KEEP_VERSIONS, VersionExecutor
from interest_migration.errors import DataError
from interest_migration.serving.audit import read_audit
from interest_migration.serving.model_config import Policy, Rollout, write_rollout
from interest_migration.serving.reviews import Action, Review, record_review
from interest_migration.serving.versions import digest_files, list_versions


@pytest.fixture
def model(tmp_path: Path) -> standard_artifacts.Model:
    folder = tmp_path / "model" / "Format-Serving"
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_text("graph")
    artifact = standard_artifacts.Model()
    artifact.uri = str(folder.parent)
    return artifact


def push(
    model: standard_artifacts.Model, directory: Path, blessed: int, outputs: Path, servable: int | None = None
) -> standard_artifacts.PushedModel:
    blessing, pushed = standard_artifacts.ModelBlessing(), standard_artifacts.PushedModel()
    blessing.set_int_custom_property("blessed", blessed)
    pushed.uri = str(outputs / "pushed")
    destination = pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(directory))
    )
    inputs = {"model": [model], "model_blessing": [blessing]}
    if servable is not None:
        infra = standard_artifacts.InfraBlessing()
        infra.set_int_custom_property("blessed", servable)
        inputs["infra_blessing"] = [infra]
    VersionExecutor().Do(
        inputs,
        {"pushed_model": [pushed]},
        {
            "push_destination": proto_utils.proto_to_json(destination),
            "custom_config": json.dumps({KEEP_VERSIONS: 2}),
        },
    )
    return pushed


def test_a_blessed_model_is_pushed(model: standard_artifacts.Model, tmp_path: Path) -> None:
    pushed = push(model, tmp_path / "served", 1, tmp_path)
    assert pushed.get_int_custom_property("pushed") == 1
    assert pushed.get_string_custom_property("pushed_version") == "1"
    assert pushed.get_string_custom_property("pushed_destination") == str(tmp_path / "served" / "1")
    assert pushed.get_int_custom_property("is_new") == 1
    assert (tmp_path / "served" / "1" / "saved_model.pb").read_text() == "graph"


def test_nothing_is_pushed_without_a_blessing(model: standard_artifacts.Model, tmp_path: Path) -> None:
    pushed = push(model, tmp_path / "served", 0, tmp_path)
    assert pushed.get_int_custom_property("pushed") == 0
    assert not (tmp_path / "served").exists()


def test_the_same_model_is_served_already(model: standard_artifacts.Model, tmp_path: Path) -> None:
    push(model, tmp_path / "served", 1, tmp_path / "first")
    again = push(model, tmp_path / "served", 1, tmp_path / "second")
    assert again.get_string_custom_property("pushed_version") == "1"
    assert again.get_int_custom_property("is_new") == 0


def test_only_the_versions_asked_for_stay(model: standard_artifacts.Model, tmp_path: Path) -> None:
    for number in range(3):
        (Path(model.uri) / "Format-Serving" / "saved_model.pb").write_text(str(number))
        push(model, tmp_path / "served", 1, tmp_path / str(number))
    assert sorted(path.name for path in (tmp_path / "served").iterdir()) == ["2", "3"]


def test_a_push_is_recorded_and_does_not_change_what_is_pinned(model: standard_artifacts.Model, tmp_path: Path) -> None:
    directory = tmp_path / "served" / "interests"
    for number in range(4):
        (Path(model.uri) / "Format-Serving" / "saved_model.pb").write_text(str(number))
        push(model, directory, 1, tmp_path / str(number))
        if number == 0:
            write_rollout(directory, Rollout(Policy.SPECIFIC, (1,), labels={"stable": 1}))
    assert [version.number for version in list_versions(directory)] == [1, 3, 4]
    entries = read_audit(directory.parent)
    assert [(entry.action, entry.version, entry.served_after) for entry in entries] == [
        ("push", 1, 1),
        ("push", 2, 1),
        ("push", 3, 1),
        ("push", 4, 1),
    ]
    assert (entries[0].by, entries[0].reason) == ("pipeline", "blessed by the gate")


def review(model: standard_artifacts.Model, directory: Path, action: Action) -> None:
    digest = digest_files(Path(model.uri) / "Format-Serving")
    record_review(directory, Review(action, "Ada", "the test days were odd", "2026-01-02T03:04:05Z", "run-1", digest))


def test_a_held_model_is_not_pushed_though_it_is_blessed(model: standard_artifacts.Model, tmp_path: Path) -> None:
    review(model, tmp_path / "served", Action.HOLD)
    pushed = push(model, tmp_path / "served", 1, tmp_path)
    assert pushed.get_int_custom_property("pushed") == 0
    assert pushed.get_string_custom_property("review") == (
        "held by Ada on 2026-01-02T03:04:05Z: the test days were odd"
    )
    assert not list_versions(tmp_path / "served")


def test_a_released_model_is_pushed_though_it_is_refused(model: standard_artifacts.Model, tmp_path: Path) -> None:
    review(model, tmp_path / "served", Action.HOLD)
    review(model, tmp_path / "served", Action.RELEASE)
    pushed = push(model, tmp_path / "served", 0, tmp_path)
    assert pushed.get_string_custom_property("pushed_version") == "1"
    assert pushed.get_string_custom_property("review").startswith("released by Ada")


def test_a_person_cannot_release_what_no_server_can_answer_with(
    model: standard_artifacts.Model, tmp_path: Path
) -> None:
    review(model, tmp_path / "served", Action.RELEASE)
    assert not push(model, tmp_path / "served", 1, tmp_path, servable=0).get_int_custom_property("pushed")
    assert push(model, tmp_path / "served", 0, tmp_path, servable=1).get_int_custom_property("pushed")


def test_a_review_of_another_model_changes_nothing(model: standard_artifacts.Model, tmp_path: Path) -> None:
    review(model, tmp_path / "served", Action.HOLD)
    (Path(model.uri) / "Format-Serving" / "saved_model.pb").write_text("another")
    assert push(model, tmp_path / "served", 1, tmp_path).get_string_custom_property("pushed_version") == "1"


def test_an_unusable_directory_is_an_error(model: standard_artifacts.Model, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"expected a folder that can be written .* push\.directory"):
        push(model, tmp_path / "file", 1, tmp_path)
