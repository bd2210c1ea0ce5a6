from pathlib import Path

import pytest

from interest_migration.report.ending import read_note, tell, write_note

PUSHED = {"state": "pushed", "version": 3, "path": "/mnt/models/interests/3", "reasons": []}
REFUSED = {"state": "refused by the model gate", "version": None, "path": None, "reasons": ["auc is too low"]}
FAILURE = {"step": "Trainer", "error": "DataError: no example", "exit_code": 2, "state": "failed", "reasons": []}
DATA = {**FAILURE, "step": "DataGate", "exit_code": 3, "state": "refused by the data gate", "reasons": ["drift"]}


@pytest.mark.parametrize(
    ("orchestrator", "outcome", "failure", "state", "code", "step"),
    [
        ("COMPLETE", PUSHED, {}, "pushed", 0, ""),
        ("COMPLETE", PUSHED, FAILURE, "pushed", 0, ""),  # started again, and succeeded
        ("COMPLETE", REFUSED, {}, "refused by the model gate", 3, ""),
        ("FAILED", REFUSED, {**FAILURE, "step": "Verdict"}, "refused by the model gate", 3, "Verdict"),
        ("FAILED", {}, DATA, "refused by the data gate", 3, "DataGate"),
        ("FAILED", {}, FAILURE, "failed", 2, "Trainer"),
        ("FAILED", {}, {}, "failed", 1, ""),
    ],
)
def test_how_runs_end(
    orchestrator: str, outcome: dict[str, object], failure: dict[str, object], state: str, code: int, step: str
) -> None:
    told = tell("r", {"state": orchestrator}, outcome, failure)
    assert (told["state"], told["exit_code"], told["failed_step"]) == (state, code, step)
    assert told["version"] == outcome.get("version")
    assert told["orchestrator"] == orchestrator


def test_reasons_are_those_of_the_gate_that_refused() -> None:
    assert tell("r", {"state": "COMPLETE"}, REFUSED, {})["reasons"] == ["auc is too low"]
    assert tell("r", {"state": "FAILED"}, {}, DATA)["reasons"] == ["drift"]


def test_notes_are_kept_and_missing_ones_are_empty(tmp_path: Path) -> None:
    write_note(tmp_path / "runs" / "r" / "outcome.json", PUSHED)
    assert read_note(tmp_path / "runs" / "r" / "outcome.json") == PUSHED
    assert read_note(tmp_path / "nothing.json") == {}
