"""Metrics of one method at one task, as draws."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation import calibration, classification, discrimination, ranking
from interest_migration.evaluation.bootstrap import Draws, Resamples
from interest_migration.evaluation.ranking import LabelRanks
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import Numbers
from interest_migration.ragged import Ragged

CHURN_METRICS = ("auroc", "pr_auc", "expected_calibration_error", "brier", "log_loss")
POOLED_METRICS = ("expected_calibration_error", "brier")
CLASS_METRICS = (
    "accuracy",
    *(f"{mean}_{of}" for of in ("precision", "recall", "f1") for mean in ("macro", "weighted")),
)


@dataclass(frozen=True)
class Measurement:
    """One metric: its draws `[1 + R]`, what it covers, and a note (why it is undefined, what was left out)."""

    draws: Draws
    examples: int
    positives: int
    note: str = ""


def undefined(note: str, resamples: Resamples, examples: int = 0, positives: int = 0) -> Measurement:
    """Returns a measurement without a value."""
    return Measurement(np.full(resamples.weights.shape[1], np.nan), examples, positives, note)


def measure_binary(
    scores: Numbers, positives: npt.NDArray[np.bool_], resamples: Resamples, settings: EvaluationSettings
) -> dict[str, Measurement]:
    """Measures `CHURN_METRICS` on `[N]` scores and labels."""
    examples, count = len(positives), int(positives.sum())
    if count in (0, examples):
        note = f"expected both classes, received {count} positives among {examples} examples"
        return dict.fromkeys(CHURN_METRICS, undefined(note, resamples, examples, count))
    draws = {
        "auroc": discrimination.auroc_draws(scores, positives, resamples),
        "pr_auc": discrimination.average_precision_draws(scores, positives, resamples),
    }
    measured = {name: Measurement(values, examples, count) for name, values in draws.items()}
    return measured | _measure_probabilities(scores, positives, resamples, settings)


def _measure_probabilities(
    scores: Numbers, positives: npt.NDArray[np.bool_], resamples: Resamples, settings: EvaluationSettings
) -> dict[str, Measurement]:
    examples, count = len(positives), int(positives.sum())
    if scores.min() < 0 or scores.max() > 1:
        note = "scores outside [0, 1] are not probabilities"
        return dict.fromkeys(CHURN_METRICS[2:], undefined(note, resamples, examples, count))
    draws = (
        calibration.calibration_error_draws(scores, positives, settings.calibration_bins, resamples),
        resamples.mean(calibration.squared_errors(scores, positives)),
        resamples.mean(calibration.log_losses(scores, positives)),
    )
    return {name: Measurement(values, examples, count) for name, values in zip(CHURN_METRICS[2:], draws, strict=True)}


def measure_pooled_probabilities(
    scores: Numbers, positives: npt.NDArray[np.bool_], resamples: Resamples, settings: EvaluationSettings
) -> dict[str, Measurement]:
    """Measures `POOLED_METRICS` on `[N, C]` scores and labels, every pair of example and category alike."""
    examples, count = len(positives), int(positives.sum())
    if scores.min() < 0 or scores.max() > 1:
        note = "scores outside [0, 1] are not probabilities"
        return dict.fromkeys(POOLED_METRICS, undefined(note, resamples, examples, count))
    draws = (
        calibration.pooled_error_draws(scores, positives, settings.calibration_bins, resamples),
        resamples.mean(calibration.squared_errors(scores, positives).mean(axis=1)),
    )
    return {name: Measurement(values, examples, count) for name, values in zip(POOLED_METRICS, draws, strict=True)}


def measure_macro_auroc(
    scores: Numbers, positives: npt.NDArray[np.bool_], resamples: Resamples, minimum_positives: int
) -> Measurement:
    """Measures macro AUROC over the columns of `[N, C]` scores; the note says how many columns count."""
    examples, count = len(positives), int(positives.sum())
    columns = len(discrimination.scored_columns(positives, minimum_positives))
    note = f"{columns} of {positives.shape[1]} categories with at least {minimum_positives} positives and a negative"
    draws = discrimination.macro_auroc_draws(scores, positives, resamples, minimum_positives)
    return Measurement(draws, examples, count, note)


def measure_ranks(ranks: LabelRanks, metrics: Iterable[str], resamples: Resamples) -> dict[str, Measurement]:
    """Measures ranking metrics by name: `hit_at_5`, `ndcg_at_10`, `reciprocal_rank`, `user_auc`.

    Each is the mean over the examples where it is defined (at least one label; for `user_auc` also
    one other candidate).
    """
    return {metric: _measure_rank(ranks, metric, resamples) for metric in metrics}


def rank_values(ranks: LabelRanks, metric: str) -> Draws:
    """Returns `[N]` values of a ranking metric, NaN where it is undefined."""
    name, _, depth = metric.partition("_at_")
    by_depth = {"hit": ranking.hit_at, "ndcg": ranking.ndcg_at}
    plain = {"reciprocal_rank": ranking.reciprocal_rank, "user_auc": ranking.user_auc}
    return by_depth[name](ranks, int(depth)) if depth else plain[name](ranks)


def _measure_rank(ranks: LabelRanks, metric: str, resamples: Resamples) -> Measurement:
    values = rank_values(ranks, metric)
    defined = ~np.isnan(values)
    note = "" if defined.any() else f"none of {len(values)} examples has a label among its candidates and a rival to it"
    return Measurement(resamples.mean(values), int(defined.sum()), int(ranks.labels[defined].sum()), note)


def measure_classes(scores: Numbers, labels: Ragged, resamples: Resamples) -> dict[str, Measurement]:
    """Measures `CLASS_METRICS` of the category ranked first; examples without labels must have been left out."""
    if not len(labels):
        return dict.fromkeys(CLASS_METRICS, undefined("no example has a label", resamples))
    predicted = classification.predict_class(scores)
    true = classification.true_class(predicted, labels)
    counts = classification.count_classes(predicted, true, scores.shape[1], resamples)
    draws = classification.classification_draws(counts)
    return {name: Measurement(draws[name], len(labels), int(labels.lengths.sum())) for name in CLASS_METRICS}


Measured = Mapping[tuple[str, str], Measurement]
"""(subset, metric) -> measurement."""
