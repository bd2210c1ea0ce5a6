"""The verdict: which rules a model broke, in words, and which of its failures a rule excuses."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from interest_migration.gates.settings import GateSettings, Rule, split_slice

OVERALL: Final = "all examples"
SliceKey = tuple[tuple[str, str], ...]
"""Column and value of a slice; empty for all examples."""


@dataclass(frozen=True)
class Failure:
    """One threshold that did not hold in one slice.

    Attributes:
      task: The task.
      metric: The metric.
      slice_key: The slice.
      value: What was measured (for a change: the difference to the served model); None or NaN if undefined.
      lower: Bound below, if any.
      upper: Bound above, if any.
      is_change: Whether the bound is on the difference to the served model.
    """

    task: str
    metric: str
    slice_key: SliceKey
    value: float | None
    lower: float | None
    upper: float | None
    is_change: bool = False

    @property
    def is_undefined(self) -> bool:
        """Whether there was nothing to compare."""
        return self.value is None or math.isnan(self.value)


@dataclass(frozen=True)
class Verdict:
    """Outcome of the gates.

    Attributes:
      blessed: Whether the model may be served.
      reasons: One sentence per broken rule and slice; empty if blessed.
      excused: Failures that a rule itself lets pass, and why.
      served_version: Number of the version it was compared with, or None.
    """

    blessed: bool
    reasons: tuple[str, ...]
    excused: tuple[str, ...]
    served_version: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Verdict":
        """Reads what `to_json` returned."""
        return cls(**{**values, "reasons": tuple(values["reasons"]), "excused": tuple(values["excused"])})


def judge(
    gates: GateSettings,
    failures: Iterable[Failure],
    count_examples: Callable[[str, SliceKey], float],
    served_version: int | None = None,
    missing_slices: Collection[str] = (),
) -> Verdict:
    """Decides what the failures mean.

    Args:
      gates: The rules.
      failures: Every threshold that did not hold.
      count_examples: (task, slice) -> number of examples with a known label.
      served_version: Version the changes were measured against.
      missing_slices: Slices of rules that no example falls into.

    Returns:
      The verdict; a failure counts unless every rule that made its threshold excuses it.
    """
    reasons: list[str] = []
    excused: list[str] = []
    everything = [*failures, *_absent(gates, missing_slices)]
    for failure in sorted(everything, key=lambda failure: (failure.task, failure.metric, failure.slice_key)):
        rules = [rule for rule in gates.rules if _made(rule, failure)]
        count = count_examples(failure.task, failure.slice_key)
        for rule in rules:
            excuse = _excuse(rule, failure, count)
            (excused if excuse else reasons).append(_describe(rule, failure, count) + excuse)
        if not rules:
            reasons.append(f"{failure.task} {failure.metric} in {name_slice(failure.slice_key)} failed without a rule")
    return Verdict(not reasons, tuple(reasons), tuple(excused), served_version)


def name_slice(key: SliceKey) -> str:
    """`(("switched", "1"),)` -> `switched=1`; the empty key -> `all examples`."""
    return ", ".join(f"{column}={value}" for column, value in key) or OVERALL


def _absent(gates: GateSettings, missing_slices: Collection[str]) -> Iterator[Failure]:
    for rule in gates.rules:
        for column, value in (split_slice(name) for name in rule.slices if name in missing_slices):
            key = ((column, value or "any"),)
            yield Failure(rule.task, rule.metric, key, None, rule.at_least, rule.at_most)


def _made(rule: Rule, failure: Failure) -> bool:
    if (rule.task, rule.metric) != (failure.task, failure.metric) or not _covers(rule, failure.slice_key):
        return False
    if failure.is_change:
        return rule.no_worse_than_served_by is not None and failure.lower == -rule.no_worse_than_served_by
    return (rule.at_least, rule.at_most) == (failure.lower, failure.upper)


def _covers(rule: Rule, key: SliceKey) -> bool:
    if not rule.slices:
        return not key
    named = (split_slice(name) for name in rule.slices)
    return any(len(key) == 1 and key[0][0] == column and value in (None, key[0][1]) for column, value in named)


def _excuse(rule: Rule, failure: Failure, count: float) -> str:
    if failure.is_undefined and rule.when_undefined == "pass":
        return "; passes, since when_undefined is pass"
    if 0 < count < rule.min_examples:
        return f"; passes, since {rule.min_examples} known labels are needed to judge"
    return ""


def _describe(rule: Rule, failure: Failure, count: float) -> str:
    what = f"{failure.metric} of {failure.task} in {name_slice(failure.slice_key)} ({count:.0f} known labels)"
    bounds = [("at least", failure.lower), ("at most", failure.upper)]
    wanted = " and ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None) or "known"
    if failure.is_change:
        what = f"change of {what} against the served model"
    measured = "undefined" if failure.is_undefined else f"{failure.value:.4f}"
    return f"{rule.name}: expected {what} to be {wanted}, received {measured}"
