"""How a run on an orchestrator ended, in notes that outlive its steps, on a volume that they share: `<runs>/<run>/`.

    outcome.json    what became of the model, by the last step
    failure.json    why a step failed, by the container of that step
    data.json       which data the run read, for later runs to compare with; so are statistics/ and summary/
    verdict.json    outcome, failure and the orchestrator's own state, by the exit handler

A run of this machine has `pipeline.records` instead.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from interest_migration.report.record import State
from interest_migration.storage.atomic import replacing

OUTCOME_FILE: Final = "outcome.json"
DATA_FILE: Final = "data.json"
FAILURE_FILE: Final = "failure.json"
VERDICT_FILE: Final = "verdict.json"

_REFUSED: Final = 3


def tell(run: str, status: Mapping[str, Any], outcome: Mapping[str, Any], failure: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the verdict of a run.

    Args:
      run: Its name.
      status: `{"state": "COMPLETE"}` or `FAILED`, as the orchestrator has it.
      outcome: What became of the model; empty if the run did not come so far.
      failure: Why a step failed; empty if none did. A step that was started again may have left one and succeeded.

    Returns:
      `state` as `interest_migration.report.record.State` has it, `exit_code` as the command line's, and the notes.

    Example:
      FAILED, no outcome, failure of Trainer -> state failed, exit code 1, failed_step Trainer.
    """
    state = State(outcome.get("state") or failure.get("state") or State.FAILED)
    if outcome and status.get("state") == "COMPLETE":
        failure = {}
    return {
        "run": run,
        "orchestrator": status.get("state", ""),
        "state": str(state),
        "exit_code": _exit_code(state, failure),
        "version": outcome.get("version"),
        "path": outcome.get("path"),
        "reasons": list(outcome.get("reasons") or failure.get("reasons") or ()),
        "failed_step": failure.get("step", ""),
        "error": failure.get("error", ""),
    }


def _exit_code(state: State, failure: Mapping[str, Any]) -> int:
    """As the command line has them."""
    if state is State.PUSHED:
        return 0
    if state is State.FAILED:
        return int(failure.get("exit_code", 1))
    return _REFUSED


def write_note(path: Path, values: Mapping[str, Any]) -> None:
    """Writes a note, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1), encoding="utf-8")


def read_note(path: Path) -> dict[str, Any]:
    """Returns a note; an empty one if there is none."""
    if not path.exists():
        return {}
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values
