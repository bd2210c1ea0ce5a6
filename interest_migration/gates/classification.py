"""Precision, recall and F1 over many classes from counts of (label, prediction) pairs."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Pair = tuple[int, int]


def score_classes(pairs: Mapping[Pair, float]) -> dict[str, float]:
    """Scores a classification.

    Macro averages weigh every class alike, weighted ones by its number of labels; a class counts if it was a label or
    a prediction, and a ratio without a denominator is 0 (as in scikit-learn).

    Args:
      pairs: Weight of each (label, prediction).

    Returns:
      accuracy, and precision, recall and F1 as `macro_*` and `weighted_*`; NaN without any pair.

    Example:
      labels 1 1 2, predictions 1 2 2 -> accuracy 2/3; class 1: precision 1, recall 1/2; class 2: 1/2, 1.
    """
    averages = ("macro", "weighted")
    total = sum(pairs.values())
    if total <= 0:
        names = ["accuracy", *(f"{average}_{score}" for average in averages for score in ("precision", "recall", "f1"))]
        return dict.fromkeys(names, float("nan"))
    hits, labels, predictions = _marginals(pairs)
    scores = {
        "precision": _ratio(hits, predictions),
        "recall": _ratio(hits, labels),
        "f1": _ratio(2 * hits, labels + predictions),
    }
    weights = {"macro": np.full(len(labels), 1 / len(labels)), "weighted": labels / total}
    return {
        "accuracy": float(hits.sum() / total),
        **{f"{name}_{score}": float(weights[name] @ scores[score]) for name in averages for score in scores},
    }


def confusion(pairs: Mapping[Pair, float], classes: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Returns the confusion of the classes with the most labels.

    Args:
      pairs: Weight of each (label, prediction).
      classes: C, most classes shown.

    Returns:
      `[C]` their ids, most labels first, and `[C + 1, C + 1]` counts, labels in rows, all other classes last.
    """
    totals: dict[int, float] = {}
    for (label, _), weight in pairs.items():
        totals[label] = totals.get(label, 0.0) + weight
    shown = sorted(totals, key=lambda label: (-totals[label], label))[:classes]
    place = {label: index for index, label in enumerate(shown)}
    counts = np.zeros((len(shown) + 1, len(shown) + 1))
    for (label, prediction), weight in pairs.items():
        counts[place.get(label, -1), place.get(prediction, -1)] += weight
    return np.asarray(shown, np.int64), counts


def _marginals(
    pairs: Mapping[Pair, float],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    classes = {value: index for index, value in enumerate(sorted({value for pair in pairs for value in pair}))}
    hits, labels, predictions = (np.zeros(len(classes)) for _ in range(3))
    for (label, prediction), weight in pairs.items():
        labels[classes[label]] += weight
        predictions[classes[prediction]] += weight
        if label == prediction:
            hits[classes[label]] += weight
    return hits, labels, predictions


def _ratio(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
