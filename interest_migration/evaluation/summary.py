"""The few rows a person reads first: one headline metric per task."""

import math
from dataclasses import dataclass

from interest_migration.evaluation.compare import MODEL
from interest_migration.evaluation.results import ALL, SWITCHED, Comparison, EvaluationReport, MetricValue
from interest_migration.evaluation.tasks import (
    CHURN_TASK,
    NEW_INTEREST_TASK,
    NEXT_CATEGORY,
    NEXT_ITEM,
    PROPENSITY_TASK,
)

HEADLINES = (
    *((task, ALL, "auroc") for task in CHURN_TASK.values()),
    *((task, ALL, "macro_auroc") for task in PROPENSITY_TASK.values()),
    *((task, ALL, "user_auc") for task in NEW_INTEREST_TASK.values()),
    (NEXT_CATEGORY, ALL, "hit_at_5"),
    (NEXT_CATEGORY, SWITCHED, "hit_at_5"),
    (NEXT_ITEM, ALL, "ndcg_at_10"),
)
"""(task, subset, metric); in all of them higher is better."""


@dataclass(frozen=True)
class SummaryRow:
    """One task in one line.

    Attributes:
      task: Name of the task.
      subset: Subset of the examples.
      metric: Headline metric.
      model: The model's value, None if it was not measured.
      baselines: The baselines' values, best first, undefined ones last.
      comparison: Model minus the best baseline, None if there is no such pair.
    """

    task: str
    subset: str
    metric: str
    model: MetricValue | None
    baselines: tuple[MetricValue, ...]
    comparison: Comparison | None


def summarise(report: EvaluationReport) -> tuple[SummaryRow, ...]:
    """Returns one row per headline metric, also where it is undefined."""
    return tuple(_row(report, *headline) for headline in HEADLINES)


def _row(report: EvaluationReport, task: str, subset: str, metric: str) -> SummaryRow:
    found = [v for v in report.values if (v.task, v.subset, v.metric) == (task, subset, metric) and v.method != MODEL]
    ordered = sorted(found, key=lambda value: math.inf if math.isnan(value.value) else -value.value)
    best = report.difference(task, metric, ordered[0].method, subset) if ordered else None
    return SummaryRow(task, subset, metric, report.find(task, metric, MODEL, subset), tuple(ordered), best)
