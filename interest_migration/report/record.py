"""What is known of a run while it goes on and after it has ended, however it ends."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from interest_migration.gates.decision import Decision


class State(StrEnum):
    """How far a run has come."""

    RUNNING = "running"
    PUSHED = "pushed"  # the model is served
    HELD = "held"  # the gate passed the model, a person held it
    MODEL_REFUSED = "refused by the model gate"
    DATA_REFUSED = "refused by the data gate"
    SERVING_REFUSED = "refused by the serving gate"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    UNREADABLE = "unreadable"  # its record is damaged


@dataclass(frozen=True)
class StepTime:
    """A step that has ended: its name, how long it took, and whether an earlier result was reused."""

    name: str
    seconds: float
    cached: bool


@dataclass(frozen=True)
class Pushed:
    """The version that serves the model: number, folder, and whether the run made it."""

    version: int
    path: str
    is_new: bool


@dataclass(frozen=True)
class RunRecord:
    """A run.

    Attributes:
      run: Its name.
      pipeline: Name of the pipeline.
      started: When it began, ISO 8601 UTC.
      command: What was typed.
      state: How it ended.
      ended: When, empty while it runs.
      failed_step: The step that failed or refused, if one did.
      error: What went wrong, in words.
      steps: Steps that have ended, in order.
      artifacts: `Step.output` -> folder.
      pushed: What is served in consequence.
      data_decision: Of the data gate where it refused: then no artifact holds it.
      versions: Library -> version.
      inputs: What makes the run repeatable besides its settings: fingerprints, key id, served version.
      settings: Configuration, mapping and gates.
    """

    run: str
    pipeline: str
    started: str
    command: str
    state: State = State.RUNNING
    ended: str = ""
    failed_step: str = ""
    error: str = ""
    steps: tuple[StepTime, ...] = ()
    artifacts: dict[str, str] = field(default_factory=dict)
    pushed: Pushed | None = None
    data_decision: Decision | None = None
    versions: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """How long it took; None if that is not known."""
        if not self.ended:
            return None
        return (datetime.fromisoformat(self.ended) - datetime.fromisoformat(self.started)).total_seconds()

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        decision = self.data_decision and self.data_decision.to_json()
        return {**asdict(self), "data_decision": decision}

    def to_text(self) -> str:
        """Returns `to_json` as text."""
        return json.dumps(self.to_json(), indent=1, allow_nan=False)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads what `to_text` returned."""
        values: dict[str, Any] = json.loads(text)
        pushed, decision = values["pushed"], values["data_decision"]
        values |= {
            "state": State(values["state"]),
            "steps": tuple(StepTime(**step) for step in values["steps"]),
            "pushed": None if pushed is None else Pushed(**pushed),
            "data_decision": None if decision is None else Decision.from_json(decision),
        }
        return cls(**values)
