"""Metrics by slice: the model's from TFMA, beside the served model and the strongest baseline in the headline one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from interest_migration.evaluation.bootstrap import Resamples
from interest_migration.evaluation.compare import MODEL
from interest_migration.evaluation.measures import SERVED, Measures
from interest_migration.gates.draws import MetricDraws
from interest_migration.gates.metrics import EXAMPLE_COUNT
from interest_migration.report.inputs import SliceMetrics

SHOWN: Final = {
    "churn_short": ("auc", "accuracy", "precision", "recall", "f1", "calibration"),
    "churn_long": ("auc", "accuracy", "precision", "recall", "f1", "calibration"),
    "next_category": ("hit_at_5", "accuracy", "macro_f1", "weighted_f1"),
    "next_item": ("ndcg_at_10", "hit_at_10"),
    "propensity_short": ("user_auc", "ndcg_at_10"),
    "new_interest_short": ("user_auc", "ndcg_at_10"),
}
"""Task -> metrics that are shown by slice, the headline first."""

_MOST_VALUES = 12
_THRESHOLD = 0.5


@dataclass(frozen=True)
class SliceRow:
    """One slice.

    Attributes:
      column: Slice column; empty for all examples.
      value: Its value.
      users: Different users in it whose label is known.
      examples: Examples in it whose label is known.
      metrics: The model's metrics, in the order of the table.
      served: The served model's headline metric; None if it was not measured.
      baseline: The strongest baseline's.
    """

    column: str
    value: str
    users: int
    examples: int
    metrics: tuple[float, ...]
    served: float | None
    baseline: float | None


@dataclass(frozen=True)
class SliceTable:
    """All slices of a task.

    Attributes:
      task: The task.
      metrics: Names of the metrics.
      baseline: Name of the baseline, the strongest on all examples; empty if there is none.
      rows: All examples first, then by column and number of examples.
      left_out: Slices with too few users, or beyond the most frequent of their column.
    """

    task: str
    metrics: tuple[str, ...]
    baseline: str
    rows: tuple[SliceRow, ...]
    left_out: int


def list_slices(slices: SliceMetrics, measures: Measures, minimum_users: int) -> tuple[SliceTable, ...]:
    """Returns a table for every task of `SHOWN` that was measured.

    Args:
      slices: What TFMA measured.
      measures: Tells the users behind each slice, and what the other methods did.
      minimum_users: Slices with fewer users are left out.
    """
    draws = MetricDraws(measures, Resamples.draw(measures.users, 0, 0), _THRESHOLD)
    tables = (_table(slices, draws, task, metrics, minimum_users) for task, metrics in SHOWN.items())
    return tuple(table for table in tables if table.rows)


def _table(
    slices: SliceMetrics, draws: MetricDraws, task: str, metrics: tuple[str, ...], minimum_users: int
) -> SliceTable:
    baseline = _strongest(draws, task, metrics[0])
    rows = []
    for key, tasks in slices.items():
        if task in tasks and len(key) <= 1:
            column, value = key[0] if key else ("", "")
            row = _row(draws, (task, metrics), (column, value), tasks[task], baseline)
            if row.users >= minimum_users:
                rows.append(row)
    kept = _most_frequent(rows)
    known = sum(task in tasks for tasks in slices.values())
    return SliceTable(task, metrics, baseline, tuple(kept), known - len(kept))


def _row(
    draws: MetricDraws,
    shown: tuple[str, tuple[str, ...]],
    place: tuple[str, str],
    values: Mapping[str, float],
    baseline: str,
) -> SliceRow:
    (task, metrics), (column, value) = shown, place
    measures, known = draws.measures, draws.known(task, metrics[0], MODEL)
    inside = np.ones(len(measures), bool) if not column else _members(measures, column, value)
    users = 0 if known is None else len(np.unique(measures.users[inside & known]))

    def other(method: str) -> float | None:
        counts = draws.known(task, metrics[0], method) if method else None
        return (
            None if counts is None else float(draws.draw(task, metrics[0], method, np.flatnonzero(inside & counts))[0])
        )

    return SliceRow(
        column=column,
        value=value,
        users=users,
        examples=round(values.get(EXAMPLE_COUNT, 0)),
        metrics=tuple(values.get(metric, float("nan")) for metric in metrics),
        served=other(SERVED),
        baseline=other(baseline),
    )


def _members(measures: Measures, column: str, value: str) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    if column not in measures.slices:
        return np.zeros(len(measures), bool)
    return measures.members(column, value)


def _strongest(draws: MetricDraws, task: str, metric: str) -> str:
    best, name = -np.inf, ""
    for method in draws.measures.methods(task):
        known = draws.known(task, metric, method)
        if method not in (MODEL, SERVED) and known is not None:
            value = float(draws.draw(task, metric, method, np.flatnonzero(known))[0])
            if value > best:
                best, name = value, method
    return name


def _most_frequent(rows: list[SliceRow]) -> list[SliceRow]:
    """Orders rows by column, then number of examples, and keeps the first of each column."""
    columns = list(dict.fromkeys(sorted(row.column for row in rows)))
    kept = []
    for column in columns:
        own = sorted((row for row in rows if row.column == column), key=lambda row: (-row.examples, row.value))
        kept += own[:_MOST_VALUES]
    return kept
