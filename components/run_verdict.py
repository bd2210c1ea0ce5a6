"""Verdict and TellVerdict: last step and exit handler of a run on an orchestrator (`interest_migration.report.ending`).

Local runs have `pipeline.records` instead.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import ExampleStatistics, PushedModel, String

from components.artifacts import Decision, Page, Summary
from components.decisions import read_decision
from interest_migration.errors import RefusedError
from interest_migration.gates.decision import Decision as GateDecision
from interest_migration.report.ending import (
    DATA_FILE,
    FAILURE_FILE,
    OUTCOME_FILE,
    VERDICT_FILE,
    read_note,
    tell,
    write_note,
)
from interest_migration.report.record import State


@component
def Verdict(  # noqa: N802 - a component reads like a class
    run: Parameter[str],
    runs: Parameter[str],
    fail_when_refused: Parameter[int],
    data_record: Parameter[str],
    statistics: InputArtifact[ExampleStatistics],
    summary: InputArtifact[Summary],
    decision: InputArtifact[Decision],
    pushed_model: InputArtifact[PushedModel],
    report: InputArtifact[Page],
    verdict: OutputArtifact[String],
    serving_decision: InputArtifact[Decision] = None,
) -> None:
    """Notes what became of the model, and keeps what later runs compare their data with; the last step of a run.

    Args:
      run: Name of the run.
      runs: Folder of the runs' notes.
      fail_when_refused: 1 to fail if the model was not pushed.
      data_record: What is known of the data, as JSON; empty if nothing is.
      statistics: Of the examples.
      summary: Counts of the ingestion.
      decision: Of the model gate.
      pushed_model: What the Pusher did.
      report: Only waited for, so that a failure here takes no report away.
      verdict: The state.
      serving_decision: Of the serving gate, if there is one.

    Raises:
      RefusedError: If the model was not pushed and `fail_when_refused` is set.
    """
    del report
    outcome = read_outcome([decision, serving_decision], pushed_model)
    folder = Path(runs) / run
    if data_record:
        _keep_data(
            folder, json.loads(data_record) | {"run": run}, {"statistics": statistics.uri, "summary": summary.uri}
        )
    write_note(folder / OUTCOME_FILE, outcome)
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


def read_outcome(decisions: Sequence[Any], pushed: Any) -> dict[str, Any]:
    """Returns what became of the model: state, version and reasons.

    Args:
      decisions: Artifacts of the gates, the model gate's first; None for a gate that the pipeline has not.
      pushed: The Pusher's artifact.
    """
    found = [read_decision(artifact.uri) for artifact in decisions if artifact is not None]
    is_pushed = bool(pushed.get_int_custom_property("pushed"))
    return {
        "state": State.PUSHED if is_pushed else _state_of_refusal(found),
        "version": int(pushed.get_string_custom_property("pushed_version")) if is_pushed else None,
        "path": pushed.get_string_custom_property("pushed_destination") if is_pushed else None,
        "is_new": bool(pushed.get_int_custom_property("is_new")),
        "review": pushed.get_string_custom_property("review"),
        "served_before": found[0].served_version,
        "reasons": [reason for decision in found for reason in decision.reasons],
    }


def _state_of_refusal(decisions: Sequence[GateDecision]) -> State:
    """The first gate that refused, or a person."""
    refusing = [decision.gate for decision in decisions if not decision.passed]
    return State(f"refused by the {refusing[0]} gate") if refusing else State.HELD


def _keep_data(folder: Path, record: dict[str, Any], artifacts: Mapping[str, str]) -> None:
    """Copies statistics and counts beside the record that names them, and says when."""
    for name, source in artifacts.items():
        shutil.copytree(source, folder / name, dirs_exist_ok=True)
    kept = {name: str(folder / name) for name in artifacts}
    write_note(folder / DATA_FILE, record | kept | {"at": datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")})
