from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from interest_migration.errors import DataError
from interest_migration.serving.model_config import (
    Policy,
    Rollout,
    config_file,
    model_names,
    read_rollout,
    write_rollout,
)

CANARY = Rollout(Policy.SPECIFIC, (2, 3), labels={"canary": 3, "stable": 2}, base_path="/models/interests")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "served" / "interests"


def test_without_a_file_the_newest_version_is_served(directory: Path) -> None:
    rollout = read_rollout(directory)
    assert rollout == Rollout()
    assert rollout.loads([3, 1, 2]) == (3,)
    assert rollout.serves([3, 1, 2]) == 3
    assert rollout.serves([]) is None


def test_the_file_is_what_tensorflow_serving_reads(directory: Path) -> None:
    write_rollout(directory, CANARY)
    expected = text_format.Parse(
        """
        model_config_list {
          config {
            name: "interests" base_path: "/models/interests" model_platform: "tensorflow"
            model_version_policy { specific { versions: 2 versions: 3 } }
            version_labels { key: "stable" value: 2 }
            version_labels { key: "canary" value: 3 }
          }
        }
        """,
        ModelServerConfig(),
    )
    assert text_format.Parse(config_file(directory).read_text(), ModelServerConfig()) == expected


@pytest.mark.parametrize(
    "rollout",
    [CANARY, Rollout(Policy.ALL, base_path="/m"), Rollout(Policy.LATEST, newest=2, labels={"old": 1}, base_path="/m")],
)
def test_what_is_written_is_read_again(directory: Path, rollout: Rollout) -> None:
    write_rollout(directory, rollout)
    assert read_rollout(directory) == rollout


def test_the_first_base_path_is_the_folder_itself_and_later_ones_stay(directory: Path) -> None:
    write_rollout(directory, Rollout())
    assert read_rollout(directory).base_path == str(directory)
    write_rollout(directory, Rollout(base_path="/models/interests"))
    write_rollout(directory, Rollout(newest=2))
    assert read_rollout(directory).base_path == "/models/interests"


def test_other_models_and_fields_stay(directory: Path) -> None:
    directory.parent.mkdir()
    config_file(directory).write_text(
        """
        # by hand
        model_config_list {
          config { name: "other" base_path: "/o" model_platform: "tensorflow" model_version_policy { all {} } }
          config { name: "interests" base_path: "/i" model_platform: "tensorflow"
                   logging_config { sampling_config { sampling_rate: 0.5 } } }
        }
        """
    )
    write_rollout(directory, CANARY)
    config = text_format.Parse(config_file(directory).read_text(), ModelServerConfig()).model_config_list.config
    assert [entry.name for entry in config] == ["other", "interests"]
    assert config[0].model_version_policy.WhichOneof("policy_choice") == "all"
    assert config[1].logging_config.sampling_config.sampling_rate == 0.5
    assert read_rollout(directory.with_name("other")).policy is Policy.ALL


@pytest.mark.parametrize("text", ["model_config_list {", "models: 3", "custom_model_config {}", "\xff"])
def test_a_damaged_file_is_named_and_left_alone(directory: Path, text: str) -> None:
    directory.parent.mkdir()
    config_file(directory).write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"expected .* received"):
        read_rollout(directory)
    with pytest.raises(DataError):
        write_rollout(directory, CANARY)
    assert config_file(directory).read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize(
    ("rollout", "loads", "serves", "needs"),
    [
        (Rollout(), (4,), 4, {4}),
        (Rollout(newest=2), (3, 4), 4, {3, 4}),
        (Rollout(Policy.ALL), (1, 3, 4), 4, {1, 3, 4}),
        (Rollout(Policy.SPECIFIC, (1, 3)), (1, 3), 3, {1, 3}),
        (Rollout(Policy.SPECIFIC, (1, 3), labels={"stable": 1}), (1, 3), 1, {1, 3}),
        (Rollout(Policy.SPECIFIC, (2,)), (), None, {2}),
        (Rollout(Policy.SPECIFIC, (2, 3), labels={"stable": 2}), (3,), None, {2, 3}),
        (Rollout(labels={"old": 1}), (4,), 4, {1, 4}),
    ],
)
def test_what_a_server_does_with_versions_on_disk(
    rollout: Rollout, loads: tuple[int, ...], serves: int | None, needs: set[int]
) -> None:
    present = [1, 3, 4]
    assert (rollout.loads(present), rollout.serves(present), rollout.needs(present)) == (loads, serves, needs)


def test_models_are_found_by_folder_and_by_entry(directory: Path) -> None:
    (directory / "1").mkdir(parents=True)
    (directory.parent / "notes").mkdir()
    write_rollout(directory.with_name("planned"), Rollout())
    assert model_names(directory.parent) == ["interests", "planned"]
    assert model_names(directory.parent / "absent") == []
