"""What became of a run on Kubeflow, as far as its API tells.

The run's exit handler writes one line `verdict: {...}` to its log, which the API gives out. Where it does not (logs are
not archived, or the account may not read them), the states of the run and its steps say as much as they can.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from pipeline.commands import ending

SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"
ENDED: Final = frozenset({SUCCEEDED, FAILED, "SKIPPED", "CANCELED"})
EXIT_HANDLER: Final = "TellVerdict"
"""The step that runs last, whatever happened before."""

_LAST_STEP: Final = "Verdict"
"""The step that fails a run whose model was refused, if `kubeflow.fail_when_refused` asks for that."""
_DATA_GATE: Final = "DataGate"
_LINE: Final = re.compile(r"verdict: (\{.*\})")


@dataclass(frozen=True)
class Verdict:
    """What became of a run.

    Attributes:
      state: In a few words: pushed, refused by the model gate, failed, ...
      exit_code: 0 pushed, 3 refused, 1 failed or unknown.
      version: Number of the pushed version, if known.
      failed_step: Step that failed, if one did.
      error: What it said, if known.
      reasons: Why the model was refused, a sentence each.
      told: Whether the run itself said so; else it follows from states.
    """

    state: str
    exit_code: int
    version: str | None = None
    failed_step: str | None = None
    error: str | None = None
    reasons: tuple[str, ...] = ()
    told: bool = True


def read_verdict(log: str) -> Verdict | None:
    """Reads the verdict from the exit handler's log; None if it holds none that can be read.

    Example:
      `... verdict: {"state": "pushed", "exit_code": 0, "version": 3}` -> pushed, version 3.
    """
    for text in reversed(_LINE.findall(log)):
        try:
            values: dict[str, Any] = json.loads(text)
            version = values.get("version")
            return Verdict(
                state=str(values["state"]),
                exit_code=int(values["exit_code"]),
                version=None if version in (None, "", 0) else str(version),
                failed_step=values.get("failed_step") or None,
                error=values.get("error") or None,
                reasons=tuple(map(str, values.get("reasons") or ())),
            )
        except (ValueError, KeyError, TypeError):
            continue
    return None


def infer_verdict(state: str, failed: list[str], *, fails_when_refused: bool) -> Verdict:
    """Says what states alone tell.

    Args:
      state: Of the run.
      failed: Steps that failed.
      fails_when_refused: Whether a run ends as failed if the model gate refuses.

    Returns:
      A verdict that is never better than what is certain: a run that succeeded may have been refused.
    """
    step = failed[0] if failed else None
    if state == SUCCEEDED:
        if fails_when_refused:
            return Verdict("pushed", ending.DONE, told=False)
        return Verdict("succeeded; the model may have been pushed or refused", ending.FAILED, told=False)
    if state != FAILED:
        return Verdict(state.lower(), ending.FAILED, told=False)
    if step == _LAST_STEP and fails_when_refused:
        return Verdict("refused by a gate, or held by a person", ending.REFUSED, failed_step=step, told=False)
    if step == _DATA_GATE:
        return Verdict("failed or refused by the data gate", ending.FAILED, failed_step=step, told=False)
    return Verdict("failed", ending.FAILED, failed_step=step, told=False)
