"""What an evaluation reports, and its JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

ALL = "all"
SWITCHED, REPEATED = "switched", "repeated"
"""Subsets of the examples: all with a known label; those whose next step shares no category with the last; the rest."""


@dataclass(frozen=True)
class MetricValue:
    """One metric of one method.

    Attributes:
      method: `model` or the name of a baseline.
      task: See `schemas.signatures`: `churn_short`, `next_category`, ...
      subset: `all`, `switched`, `repeated`, or the date of a cut (`evaluation.cuts`).
      metric: `auroc`, `hit_at_5`, ...
      value: NaN if undefined.
      low: Lower bound of the bootstrap interval, NaN if undefined.
      high: Upper bound.
      examples: Examples that the metric covers.
      positives: Positive labels among them.
      note: Why it is undefined, or what was left out; empty otherwise.
    """

    method: str
    task: str
    subset: str
    metric: str
    value: float
    low: float
    high: float
    examples: int
    positives: int
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """Model minus baseline in one metric, on the same examples and the same resamples.

    Attributes:
      task: As in `MetricValue`.
      subset: As in `MetricValue`.
      metric: As in `MetricValue`.
      baseline: Name of the baseline.
      difference: Model minus baseline, NaN if either is undefined.
      low: Lower bound of the paired bootstrap interval.
      high: Upper bound.
      note: Why it is undefined; empty otherwise.
    """

    task: str
    subset: str
    metric: str
    baseline: str
    difference: float
    low: float
    high: float
    note: str = ""


@dataclass(frozen=True)
class EvaluationReport:
    """Everything that was measured.

    Attributes:
      values: One entry per task, subset, metric and method.
      comparisons: One entry per task, subset, metric and baseline.
      examples: Examples that were given.
      users: Users among them.
      resamples: Bootstrap resamples of users.
      confidence: Confidence of the intervals.
      seed: Seed of the resamples.
    """

    values: tuple[MetricValue, ...]
    comparisons: tuple[Comparison, ...]
    examples: int
    users: int
    resamples: int
    confidence: float
    seed: int

    def find(self, task: str, metric: str, method: str, subset: str = ALL) -> MetricValue | None:
        """Returns one value, or None if it was not measured."""
        wanted = (task, subset, metric, method)
        return next((v for v in self.values if (v.task, v.subset, v.metric, v.method) == wanted), None)

    def difference(self, task: str, metric: str, baseline: str, subset: str = ALL) -> Comparison | None:
        """Returns one comparison, or None if it was not made."""
        wanted = (task, subset, metric, baseline)
        return next((c for c in self.comparisons if (c.task, c.subset, c.metric, c.baseline) == wanted), None)

    def to_json(self) -> str:
        """Returns the report as JSON; undefined numbers are null."""
        return json.dumps(_without_nan(asdict(self)), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "EvaluationReport":
        """Reads what `to_json` wrote."""
        content = json.loads(text)
        values = tuple(MetricValue(**_with_nan(entry)) for entry in content.pop("values"))
        comparisons = tuple(Comparison(**_with_nan(entry)) for entry in content.pop("comparisons"))
        return cls(values=values, comparisons=comparisons, **content)


def _without_nan(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def _with_nan(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: math.nan if value is None else value for key, value in entry.items()}
