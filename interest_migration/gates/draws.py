"""Metrics of a table of measures on any examples, with their resamples."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation import calibration, classification, discrimination
from interest_migration.evaluation.bootstrap import Draws, Resamples, divide
from interest_migration.evaluation.measures import LABEL, Measures
from interest_migration.evaluation.spaces import Numbers
from interest_migration.evaluation.tasks import PREDICTED, SCORE, TRUE
from interest_migration.gates.metrics import CALIBRATION, CALIBRATION_BINS, CLASSIFICATION_METRICS, EXAMPLE_COUNT
from schemas.signatures import CHURN_TASKS, RANKING_TASKS

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class MetricDraws:
    """Draws metrics from a table.

    Attributes:
      measures: The table.
      resamples: Weights of its examples.
      churn_threshold: Probability from which a user counts as predicted to churn.
    """

    measures: Measures
    resamples: Resamples
    churn_threshold: float

    def alone(self) -> "MetricDraws":
        """Returns the same without resamples: one draw, the sample itself."""
        return replace(self, resamples=replace(self.resamples, weights=self.resamples.weights[:, :1]))

    def columns(self, task: str, metric: str, method: str) -> tuple[Numbers, ...] | None:
        """Returns the `[N]` columns that a metric is made of, or None if the method lacks one."""
        values = self.measures.values
        names = self._names(task, metric, method)
        return tuple(values[name] for name in names) if names and set(names) <= set(values) else None

    def _names(self, task: str, metric: str, method: str) -> tuple[str, ...]:
        if task in CHURN_TASKS:
            return f"{task}/{LABEL}", f"{task}/{method}/{SCORE}"
        if metric in CLASSIFICATION_METRICS:
            return f"{task}/{method}/{TRUE}", f"{task}/{method}/{PREDICTED}"
        measure = RANKING_TASKS[task][0] if metric == EXAMPLE_COUNT else metric
        return (f"{task}/{method}/{measure}",)

    def known(self, task: str, metric: str, method: str) -> Mask | None:
        """Returns `[N]`, the examples that count for a metric of a method; None if it was not measured."""
        columns = self.columns(task, metric, method)
        return None if columns is None else ~np.isnan(np.stack(columns)).any(axis=0)

    def draw(self, task: str, metric: str, method: str, rows: npt.NDArray[np.int64]) -> Draws:
        """Returns `[1 + R]` draws of a metric on some examples; all of them must count for it."""
        columns = self.columns(task, metric, method) or ()
        chosen, own = [column[rows].astype(np.float64) for column in columns], self.resamples.take(rows)
        if not len(rows):
            return np.full(self.resamples.weights.shape[1], 0.0 if metric == EXAMPLE_COUNT else np.nan)
        if metric == EXAMPLE_COUNT:
            return own.sum(np.ones(len(rows)))
        if task in CHURN_TASKS:
            return self._draw_churn(metric, chosen[0] == 1, chosen[1], own)
        if metric in CLASSIFICATION_METRICS:
            return _draw_classes(metric, chosen[0].astype(np.int64), chosen[1].astype(np.int64), own)
        return own.mean(chosen[0])

    def _draw_churn(self, metric: str, positives: Mask, scores: Numbers, own: Resamples) -> Draws:
        if metric in _RANKED:
            one_class = positives.all() or not positives.any()
            return np.full(own.weights.shape[1], np.nan) if one_class else _RANKED[metric](scores, positives, own)
        if metric in _AVERAGED:
            return own.mean(_AVERAGED[metric](scores, positives))
        if metric == "expected_calibration_error":
            return calibration.calibration_error_draws(scores, positives, CALIBRATION_BINS, own)
        if metric == CALIBRATION:
            return divide(own.sum(scores), own.sum(positives))
        return _draw_confusion(metric, positives, scores >= self.churn_threshold, own)


_RANKED: dict[str, Callable[[Numbers, Mask, Resamples], Draws]] = {
    "auc": discrimination.auroc_draws,
    "auc_precision_recall": discrimination.average_precision_draws,
}
_AVERAGED: dict[str, Callable[[Numbers, Mask], Numbers]] = {
    "brier": calibration.squared_errors,
    "log_loss": calibration.log_losses,
    "mean_prediction": lambda scores, positives: scores,
    "mean_label": lambda scores, positives: positives.astype(np.float64),
}


def _draw_confusion(metric: str, positives: Mask, chosen: Mask, own: Resamples) -> Draws:
    hits, said, real = own.sum(positives & chosen), own.sum(chosen), own.sum(positives)
    if metric == "accuracy":
        return own.mean((positives == chosen).astype(np.float64))
    return {"precision": divide(hits, said), "recall": divide(hits, real), "f1": divide(2 * hits, said + real)}[metric]


def _draw_classes(metric: str, true: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], own: Resamples) -> Draws:
    classes, places = np.unique(np.concatenate([true, predicted]), return_inverse=True)
    parts = np.split(places, 2)
    counts = classification.count_classes(parts[1], parts[0], len(classes), own)
    return classification.classification_draws(counts)[metric]
