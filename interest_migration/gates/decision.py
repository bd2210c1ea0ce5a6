"""What a gate decided, and why: one check for every rule and place it was held against."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class CheckVerdict(StrEnum):
    """Outcome of one check."""

    PASSED = "passed"
    BROKEN = "broken"  # the gate refuses
    UNDECIDED = "undecided"  # the evidence does not tell; the rule says that this passes
    SKIPPED = "skipped"  # nothing to judge: too few examples, no served model, no earlier span


@dataclass(frozen=True)
class Check:
    """One rule, held against one thing in one place.

    Attributes:
      rule: The rule's name, in its owner's words.
      subject: What was measured: `auc of churn_short`, `feature event_price`, `rows set aside`.
      where: `all examples`, a slice such as `switched=1`, a split or a span.
      value: What was measured; NaN if undefined.
      low: Lower bound of its interval; NaN if there is none.
      high: Upper bound of its interval.
      reference: What it was compared with: `served version 3`, `baseline rfm_logit`, `span 12`; empty if nothing.
      bound: What was demanded: `at least 0.75`.
      verdict: Outcome.
      reason: The outcome in one sentence for a person who has not read the code.
      examples: Examples behind the value; 0 where that means nothing.
    """

    rule: str
    subject: str
    where: str
    value: float
    low: float
    high: float
    reference: str
    bound: str
    verdict: CheckVerdict
    reason: str
    examples: int = 0


@dataclass(frozen=True)
class Decision:
    """Outcome of a gate.

    Attributes:
      gate: `data` or `model`.
      passed: Whether what was judged may go on.
      checks: Every check that was made; broken ones refuse.
      served_version: Version of the served model that was compared with, if any.
      notes: What a reader must know besides: confidence, correction, number of comparisons.
    """

    gate: str
    passed: bool
    checks: tuple[Check, ...]
    served_version: int | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, gate: str, checks: Iterable[Check], served_version: int | None = None, notes: Iterable[str] = ()
    ) -> Self:
        """Decides: a gate passes if no check is broken, and at least one was made."""
        made = tuple(checks)
        passed = bool(made) and not any(check.verdict is CheckVerdict.BROKEN for check in made)
        return cls(gate, passed, made, served_version, tuple(notes))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the gate refuses; empty if it does not."""
        return tuple(check.reason for check in self.checks if check.verdict is CheckVerdict.BROKEN)

    def to_json(self) -> dict[str, Any]:
        """Returns plain values; undefined numbers are None."""
        values: dict[str, Any] = _plain(asdict(self))
        return {**values, "reasons": list(self.reasons)}

    def to_text(self) -> str:
        """Returns `to_json` as text."""
        return json.dumps(self.to_json(), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Reads what `to_json` returned."""
        checks = tuple(_check(entry) for entry in values["checks"])
        return cls(values["gate"], values["passed"], checks, values["served_version"], tuple(values["notes"]))


def _check(entry: dict[str, Any]) -> Check:
    numbers = {name: math.nan if entry[name] is None else entry[name] for name in ("value", "low", "high")}
    return Check(**{**entry, **numbers, "verdict": CheckVerdict(entry["verdict"])})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
