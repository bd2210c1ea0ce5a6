"""What the UI of Kubeflow Pipelines draws by itself: numbers, a ROC curve, a confusion matrix, as plain values."""

import math
from typing import Any, Final

import numpy as np

from interest_migration.evaluation.compare import MODEL
from interest_migration.evaluation.measures import LABEL, Measures
from interest_migration.evaluation.results import EvaluationReport
from interest_migration.evaluation.summary import summarise
from interest_migration.evaluation.tasks import SCORE
from interest_migration.report.confusion import Confusion

_POINTS: Final = 101

Points = list[dict[str, float]]


def list_scalars(evaluation: EvaluationReport) -> dict[str, float]:
    """Returns the headline metrics of the model and its lead over the strongest baseline; undefined ones are left out.

    Example:
      `churn_short_auroc` 0.84, `churn_short_auroc_lead` 0.02; of a subset, `next_category_hit_at_5_switched` 0.5.
    """
    found = {}
    for row in summarise(evaluation):
        name = f"{row.task}_{row.metric}" + ("" if row.subset == "all" else f"_{row.subset}")
        if row.model is not None:
            found[name] = row.model.value
        if row.comparison is not None:
            found[f"{name}_lead"] = row.comparison.difference
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}


def list_roc(measures: Measures, task: str) -> Points:
    """Returns the model's ROC curve at falling thresholds; empty where a class or the scores are missing.

    Example:
      scores .9 of a leaver and .2 of a stayer -> threshold .9: recall 1, false positive rate 0; .2: 1 and 1.
    """
    label, scores = measures.values.get(f"{task}/{LABEL}"), measures.find(task, MODEL, SCORE)
    if label is None or scores is None:
        return []
    known = ~(np.isnan(label) | np.isnan(scores))
    positives, values = label[known] == 1, scores[known]
    if len(np.unique(positives)) != 2:
        return []
    thresholds = np.unique(np.quantile(values, np.linspace(0, 1, _POINTS), method="nearest"))[::-1]
    recall, false = (_shares_above(values[chosen], thresholds) for chosen in (positives, ~positives))
    return [
        {"confidenceThreshold": float(cut), "recall": float(found), "falsePositiveRate": float(wrong)}
        for cut, found, wrong in zip(thresholds, recall, false, strict=True)
    ]


def _shares_above(values: Any, thresholds: Any) -> Any:
    return 1 - np.searchsorted(np.sort(values), thresholds, side="left") / len(values)


def to_matrix(confusion: Confusion) -> dict[str, Any]:
    """Returns a confusion matrix, true categories in rows; cells that too few users are behind are 0."""
    return {
        "annotationSpecs": [{"displayName": name} for name in confusion.names],
        "rows": [{"row": [float(count or 0) for count in row]} for row in confusion.counts],
    }
