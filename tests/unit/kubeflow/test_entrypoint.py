"""How a container ends; what it does before is run by the tests of the runner."""

import json
from pathlib import Path

import pytest

from interest_migration.data_gate.errors import DataRefusedError
from interest_migration.errors import ConfigError
from pipeline.kubeflow import entrypoint

ARGUMENTS = [
    *("--executor_class_path", "module.Executor"),
    *("--json_serialized_invocation_args", "{}"),
    "--runner=FnApiRunner",
    *("--overrides", '{"epochs": ["custom_config", "training", "epochs"]}'),
    *("--step", "Trainer"),
]


def end_with(error: Exception | None, monkeypatch: pytest.MonkeyPatch) -> int:
    def run(known: object, beam_args: list[str]) -> None:
        assert beam_args == ["--runner=FnApiRunner"]
        if error is not None:
            raise error

    monkeypatch.setattr(entrypoint, "_run", run)
    return entrypoint.main(ARGUMENTS)


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTEREST_MIGRATION_RUNS", str(tmp_path))
    monkeypatch.setenv("INTEREST_MIGRATION_RUN_ID", "r1")
    return tmp_path / "r1" / "failure.json"


def test_a_step_that_succeeds_leaves_no_note(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert end_with(None, monkeypatch) == 0
    assert not notes.exists()


@pytest.mark.parametrize(
    ("error", "code", "state"),
    [
        (ConfigError("expected 1, received 2"), 2, "failed"),
        (MemoryError("no more"), 1, "failed"),
        (DataRefusedError.unmeasured(ValueError("no statistics")), 3, "refused by the data gate"),
    ],
)
def test_a_step_that_fails_says_why(
    notes: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, state: str
) -> None:
    assert end_with(error, monkeypatch) == code
    told = json.loads(notes.read_text())
    assert (told["step"], told["exit_code"], told["state"]) == ("Trainer", code, state)
    assert told["error"] == f"{type(error).__name__}: {error}"
    assert bool(told["reasons"]) == (code == 3)


def test_where_there_is_no_place_for_notes_the_exit_code_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INTEREST_MIGRATION_RUNS", raising=False)
    assert end_with(ConfigError("x"), monkeypatch) == 2
    (tmp_path / "file").touch()
    monkeypatch.setenv("INTEREST_MIGRATION_RUNS", str(tmp_path / "file"))
    monkeypatch.setenv("INTEREST_MIGRATION_RUN_ID", "r1")
    assert end_with(ConfigError("x"), monkeypatch) == 2
