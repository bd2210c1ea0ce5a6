"""One line per task: the model, the model that is served, and the strongest baseline."""

import math
from dataclasses import dataclass

import numpy as np
from numpy import nan

from interest_migration.evaluation.bootstrap import Resamples, percentile_interval
from interest_migration.evaluation.compare import MODEL
from interest_migration.evaluation.measures import SERVED, Measures
from interest_migration.evaluation.results import ALL, Comparison, EvaluationReport, MetricValue
from interest_migration.evaluation.results import SWITCHED as MOVED
from interest_migration.evaluation.summary import SummaryRow, summarise
from interest_migration.gates.draws import MetricDraws
from interest_migration.gates.metrics import metrics_of
from schemas.features import SWITCHED

_THRESHOLD = 0.5


@dataclass(frozen=True)
class Estimate:
    """A value and its interval; NaN where undefined."""

    value: float
    low: float = nan
    high: float = nan

    @property
    def is_known(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)


@dataclass(frozen=True)
class Headline:
    """One task.

    Attributes:
      task: Its name.
      subset: `all` or `switched`.
      metric: Headline metric; higher is better.
      examples: Examples behind it.
      model: The model's value.
      served: That of the served model, None if it was not measured.
      change: Model minus served model.
      baseline: Name of the strongest baseline; empty if there is none.
      strongest: Its value.
      difference: Model minus strongest baseline.
      note: Why a value is undefined, or what was left out.
    """

    task: str
    subset: str
    metric: str
    examples: int
    model: Estimate
    served: Estimate | None
    change: Estimate | None
    baseline: str
    strongest: Estimate
    difference: Estimate
    note: str

    @property
    def standing(self) -> str:
        """`ahead`, `behind` or `level`, by the interval of the difference; empty without one."""
        return stand(self.difference)


def stand(difference: Estimate) -> str:
    """Tells on which side of 0 an interval lies: `ahead`, `behind` or `level`; empty if it is undefined.

    Example:
      +0.02 (+0.01 to +0.03) -> `ahead`; +0.02 (-0.01 to +0.05) -> `level`.
    """
    if math.isnan(difference.low) or math.isnan(difference.high):
        return ""
    return "ahead" if difference.low > 0 else "behind" if difference.high < 0 else "level"


def list_headlines(evaluation: EvaluationReport, measures: Measures | None) -> tuple[Headline, ...]:
    """Returns the headline of every task."""
    draws = None
    if measures is not None and any(measures.find(*name.split("/")) is not None for name in _served(measures)):
        resamples = Resamples.draw(measures.users, evaluation.resamples, evaluation.seed)
        draws = MetricDraws(measures, resamples, _THRESHOLD)
    return tuple(_headline(row, draws, evaluation.confidence) for row in summarise(evaluation))


def _served(measures: Measures) -> list[str]:
    return [name for name in measures.values if name.split("/")[1] == SERVED and name.count("/") == 2]


def _headline(row: SummaryRow, draws: MetricDraws | None, confidence: float) -> Headline:
    served, change = (None, None) if draws is None else _against_served(row, draws, confidence)
    best = row.baselines[0] if row.baselines else None
    return Headline(
        task=row.task,
        subset=row.subset,
        metric=row.metric,
        examples=row.model.examples if row.model else 0,
        model=_estimate(row.model),
        served=served,
        change=change,
        baseline=best.method if best else "",
        strongest=_estimate(best),
        difference=_estimate(row.comparison),
        note=row.model.note if row.model else "not measured",
    )


def _estimate(value: MetricValue | Comparison | None) -> Estimate:
    if value is None:
        return Estimate(nan)
    return Estimate(value.difference if isinstance(value, Comparison) else value.value, value.low, value.high)


def _against_served(row: SummaryRow, draws: MetricDraws, confidence: float) -> tuple[Estimate | None, Estimate | None]:
    metric = {"auroc": "auc"}.get(row.metric, row.metric)
    if metric not in metrics_of(row.task):
        return None, None
    known = [draws.known(row.task, metric, method) for method in (MODEL, SERVED)]
    if known[0] is None or known[1] is None:
        return None, None
    chosen = known[0] & known[1]
    if row.subset == MOVED:
        chosen &= draws.measures.members(SWITCHED, "1")
    elif row.subset != ALL:
        return None, None
    rows = np.flatnonzero(chosen)
    model, served = (draws.draw(row.task, metric, method, rows) for method in (MODEL, SERVED))
    estimates = []
    for values in (served, model - served):
        interval = percentile_interval(values, confidence)
        estimates.append(Estimate(float(values[0]), interval.low, interval.high))
    return estimates[0], estimates[1]
