from pathlib import Path

from tfx.types import standard_artifacts

from components.served_model import ServedModel, is_found, served_number
from interest_migration.serving.model_config import Policy, Rollout, write_rollout


def look_up(directory: Path) -> standard_artifacts.Model:
    model = standard_artifacts.Model()
    model.uri = "made/by/the/orchestrator"
    component = ServedModel(directory=str(directory), run_token="1")
    component.executor_spec.executor_class().Do({}, {"model": [model]}, {"directory": str(directory), "run_token": "1"})
    return model


def test_the_newest_version_is_found(tmp_path: Path) -> None:
    for name in ("9", "10", "notes", ".pushing-1-ab"):
        (tmp_path / name).mkdir()
    model = look_up(tmp_path)
    assert is_found(model)
    assert served_number(model) == 10
    assert model.uri == str(tmp_path / "10")


def test_the_stable_version_is_found_though_newer_ones_are_there(tmp_path: Path) -> None:
    directory = tmp_path / "interests"
    for name in ("1", "2", "3"):
        (directory / name).mkdir(parents=True)
    write_rollout(directory, Rollout(Policy.SPECIFIC, (1, 3), labels={"stable": 1, "canary": 3}))
    model = look_up(directory)
    assert served_number(model) == 1
    assert model.uri == str(directory / "1")


def test_nothing_is_found(tmp_path: Path) -> None:
    model = look_up(tmp_path / "absent")
    assert not is_found(model)
    assert model.uri == "made/by/the/orchestrator"


def test_the_token_is_part_of_the_cache_key(tmp_path: Path) -> None:
    component = ServedModel(directory=str(tmp_path), run_token="17")
    assert component.exec_properties == {"directory": str(tmp_path), "run_token": "17"}
