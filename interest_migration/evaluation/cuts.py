"""The headline metrics once more at each cut time: they tell whether one lucky date carries a result."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.compare import compare
from interest_migration.evaluation.results import ALL, Comparison, EvaluationReport, MetricValue
from interest_migration.evaluation.scores import MethodScores, Scores, TaskScores
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import IdSpaces, dense_column, take_column
from interest_migration.evaluation.summary import HEADLINES
from interest_migration.evaluation.tasks import CHURN_TASK, NEW_INTEREST_TASK, PROPENSITY_TASK
from interest_migration.ragged import Examples
from schemas.features import CUT_TIME

MOST_CUTS: Final = 12
"""Sampling by events has about one cut time per example; above this number there is no table of them."""

_TASKS: Final = {*CHURN_TASK.values(), *PROPENSITY_TASK.values(), *NEW_INTEREST_TASK.values()}
_METRICS: Final = {task: metric for task, _, metric in HEADLINES if task in _TASKS}
Rows = npt.NDArray[np.int64]


def add_cuts(
    report: EvaluationReport,
    examples: Examples,
    model_scores: TaskScores,
    baseline_scores: MethodScores,
    spaces: IdSpaces,
    settings: EvaluationSettings,
) -> EvaluationReport:
    """Adds the headline metrics of churn, propensity and new interests at each cut time.

    Args:
      report: What `compare` returned for these examples and scores.
      examples: As in `compare`.
      model_scores: As in `compare`.
      baseline_scores: As in `compare`.
      spaces: As in `compare`.
      settings: As in `compare`.

    Returns:
      The report with further values and comparisons whose subset is the cut, see `cut_name`; unchanged if there is one
      cut time only, or more than `MOST_CUTS`.
    """
    times = dense_column(examples, CUT_TIME)
    cuts = np.unique(times).tolist()
    if not 1 < len(cuts) <= MOST_CUTS:
        return report
    values, comparisons = list(report.values), list(report.comparisons)
    for cut_s in cuts:
        rows = np.flatnonzero(times == cut_s)
        part = compare(
            {name: take_column(column, rows) for name, column in examples.items()},
            _take_scores({task: scores for task, scores in model_scores.items() if task in _METRICS}, rows),
            {task: _take_scores(scores, rows) for task, scores in baseline_scores.items() if task in _METRICS},
            spaces,
            settings,
            report.seed,
        )
        values += [replace(entry, subset=cut_name(cut_s)) for entry in part.values if _is_headline(entry)]
        comparisons += [replace(entry, subset=cut_name(cut_s)) for entry in part.comparisons if _is_headline(entry)]
    return replace(report, values=tuple(values), comparisons=tuple(comparisons))


def cut_name(cut_s: int) -> str:
    """Returns a cut time as UTC date, with the time where it is not midnight: 86400 -> `1970-01-02`."""
    moment = datetime.fromtimestamp(cut_s, UTC)
    return moment.date().isoformat() if cut_s % 86_400 == 0 else moment.strftime("%Y-%m-%dT%H:%M:%S")


def _is_headline(entry: MetricValue | Comparison) -> bool:
    return entry.subset == ALL and _METRICS.get(entry.task) == entry.metric


def _take_scores(scores: Mapping[str, Scores], rows: Rows) -> dict[str, Scores]:
    return {name: value[rows] for name, value in scores.items() if isinstance(value, np.ndarray)}
