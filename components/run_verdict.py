"""How a run on an orchestrator ended, in files that outlive its steps: `<runs>/<run>/`.

    outcome.json    what became of the model, by the step `Verdict`
    failure.json    why a step failed, by the container of that step
    verdict.json    both, and the orchestrator's own state, by the exit handler `TellVerdict`
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import PushedModel, String

from components.artifacts import Decision, Page
from components.model_gate import DECISION_FILE
from interest_migration.errors import RefusedError
from interest_migration.gates.decision import Decision as GateDecision
from interest_migration.report.record import State
from interest_migration.storage.atomic import replacing

OUTCOME_FILE: Final = "outcome.json"
FAILURE_FILE: Final = "failure.json"
VERDICT_FILE: Final = "verdict.json"

_EXIT_CODES: Final = {State.PUSHED: 0, State.HELD: 3, State.MODEL_REFUSED: 3, State.DATA_REFUSED: 3}


@component
def Verdict(  # noqa: N802 - a component reads like a class
    run: Parameter[str],
    runs: Parameter[str],
    fail_when_refused: Parameter[int],
    decision: InputArtifact[Decision],
    pushed_model: InputArtifact[PushedModel],
    report: InputArtifact[Page],
    verdict: OutputArtifact[String],
) -> None:
    """Notes what became of the model; the last step of a run.

    Args:
      run: Name of the run.
      runs: Folder of the runs' notes.
      fail_when_refused: 1 to fail if the model was not pushed.
      decision: Of the model gate.
      pushed_model: What the Pusher did.
      report: Only waited for, so that a failure here takes no report away.
      verdict: The state.

    Raises:
      RefusedError: If the model was not pushed and `fail_when_refused` is set.
    """
    del report
    outcome = read_outcome(decision.uri, pushed_model)
    write_note(Path(runs) / run / OUTCOME_FILE, outcome)
    verdict.value = outcome["state"]
    if fail_when_refused and outcome["state"] != State.PUSHED:
        raise RefusedError(f"{outcome['state']}: " + ("; ".join(outcome["reasons"]) or outcome["review"]))


@component
def TellVerdict(  # noqa: N802 - a component reads like a class
    run: Parameter[str], runs: Parameter[str], status: Parameter[str]
) -> None:
    """Tells how a run ended, whatever it was; the exit handler.

    Args:
      run: Name of the run.
      runs: Folder of the runs' notes.
      status: The orchestrator's final status as JSON, with `state`.
    """
    folder = Path(runs) / run
    verdict = tell(run, json.loads(status), read_note(folder / OUTCOME_FILE), read_note(folder / FAILURE_FILE))
    write_note(folder / VERDICT_FILE, verdict)
    print(f"verdict: {json.dumps(verdict)}", flush=True)


def read_outcome(decision: str, pushed: Any) -> dict[str, Any]:
    """Returns state, version and reasons.

    Args:
      decision: Folder of the model gate's decision.
      pushed: The Pusher's artifact.
    """
    found = GateDecision.from_json(json.loads((Path(decision) / DECISION_FILE).read_text(encoding="utf-8")))
    is_pushed = bool(pushed.get_int_custom_property("pushed"))
    refused = State.HELD if found.passed else State.MODEL_REFUSED
    return {
        "state": State.PUSHED if is_pushed else refused,
        "version": int(pushed.get_string_custom_property("pushed_version")) if is_pushed else None,
        "path": pushed.get_string_custom_property("pushed_destination") if is_pushed else None,
        "review": pushed.get_string_custom_property("review"),
        "served_before": found.served_version,
        "reasons": list(found.reasons),
    }


def tell(run: str, status: Mapping[str, Any], outcome: Mapping[str, Any], failure: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the verdict of a run.

    Args:
      run: Its name.
      status: `{"state": "COMPLETE"}` or `FAILED`, as the orchestrator has it.
      outcome: What `Verdict` noted; empty if the run did not come so far.
      failure: What the failed step's container noted; empty if none did.

    Returns:
      `state` as `interest_migration.report.record.State` has it, `exit_code` as the command line's, and the notes.

    Example:
      FAILED, no outcome, failure of Trainer -> state failed, exit code 1, failed_step Trainer.
    """
    state = outcome.get("state") or failure.get("state") or State.FAILED
    return {
        "run": run,
        "orchestrator": status.get("state", ""),
        "state": str(state),
        "exit_code": _EXIT_CODES.get(State(state), failure.get("exit_code", 1)),
        "version": outcome.get("version"),
        "path": outcome.get("path"),
        "reasons": list(outcome.get("reasons") or failure.get("reasons") or ()),
        "failed_step": failure.get("step", ""),
        "error": failure.get("error", ""),
    }


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
