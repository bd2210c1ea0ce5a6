"""Scores of a yes-or-no prediction from counts per predicted probability."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.calibration import log_losses
from interest_migration.gates.metrics import CALIBRATION_BINS, LOWER_IS_BETTER

Counts = npt.NDArray[np.float64]
CONFUSION_COLUMNS: Final = ("threshold", "true_positives", "false_positives", "true_negatives", "false_negatives")


@dataclass(frozen=True)
class ProbabilityCounts:
    """How many of either kind were given a probability.

    Attributes:
      probabilities: `[K]` distinct, ascending.
      negatives: `[K]` labels 0 that were given that probability.
      positives: `[K]` labels 1.
    """

    probabilities: Counts
    negatives: Counts
    positives: Counts


def score_probabilities(counts: ProbabilityCounts, threshold: float) -> dict[str, float]:
    """Scores predictions of one label.

    Args:
      counts: The predictions.
      threshold: Probability from which a prediction is "yes".

    Returns:
      `interest_migration.gates.metrics.CHURN_METRICS`; NaN where nothing is known or, for AUC and its kin, only one
      kind of label is. Calibration is the sum of predictions over the sum of labels.

    Example:
      labels 0 1 1 at .2 .2 .9 -> auc .75 (one tie counts half), accuracy 2/3 at threshold .5.
    """
    labels = counts.negatives.sum(), counts.positives.sum()
    predicted = float(counts.probabilities @ (counts.negatives + counts.positives))
    _, hits, false_alarms, rejections, misses = confusion_at(counts, [threshold])[0]
    return {
        "auc": _auc(counts),
        "auc_precision_recall": _average_precision(counts),
        "accuracy": _divide(hits + rejections, sum(labels)),
        "precision": _divide(hits, hits + false_alarms),
        "recall": _divide(hits, labels[1]),
        "f1": _divide(2 * hits, 2 * hits + false_alarms + misses),
        "calibration": _divide(predicted, labels[1]),
        "mean_label": _divide(labels[1], sum(labels)),
        "mean_prediction": _divide(predicted, sum(labels)),
        **_score_deviations(counts),
    }


def confusion_at(counts: ProbabilityCounts, thresholds: Sequence[float]) -> Counts:
    """Returns `[len(thresholds), 5]`, one row of CONFUSION_COLUMNS per threshold."""
    rows = []
    for threshold in thresholds:
        yes = counts.probabilities >= threshold
        hits, false_alarms = counts.positives[yes].sum(), counts.negatives[yes].sum()
        rows.append(
            (threshold, hits, false_alarms, counts.negatives[~yes].sum(), counts.positives[~yes].sum()),
        )
    return np.asarray(rows, np.float64).reshape(len(rows), len(CONFUSION_COLUMNS))


def _score_deviations(counts: ProbabilityCounts) -> dict[str, float]:
    """Returns expected calibration error, Brier score and log loss (`interest_migration.evaluation.calibration`)."""
    chance, total = counts.probabilities, counts.negatives + counts.positives
    bins = np.minimum((chance * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    excess = np.bincount(bins, chance * total - counts.positives, CALIBRATION_BINS)
    squares = counts.positives @ np.square(1 - chance) + counts.negatives @ np.square(chance)
    ones, zeros = np.ones(len(chance), np.bool_), np.zeros(len(chance), np.bool_)
    losses = counts.positives @ log_losses(chance, ones) + counts.negatives @ log_losses(chance, zeros)
    sums = (np.abs(excess).sum(), squares, losses)
    return {name: _divide(value, total.sum()) for name, value in zip(LOWER_IS_BETTER, sums, strict=True)}


def _auc(counts: ProbabilityCounts) -> float:
    below = np.cumsum(counts.negatives) - counts.negatives
    won = float(counts.positives @ (below + 0.5 * counts.negatives))
    return _divide(won, counts.positives.sum() * counts.negatives.sum())


def _average_precision(counts: ProbabilityCounts) -> float:
    """Sum over thresholds of precision times gain in recall, as scikit-learn's average_precision_score."""
    positives, everything = counts.positives[::-1], (counts.positives + counts.negatives)[::-1]
    if not positives.sum() or not counts.negatives.sum():
        return float("nan")
    return float(positives @ (np.cumsum(positives) / np.cumsum(everything)) / positives.sum())


def _divide(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
