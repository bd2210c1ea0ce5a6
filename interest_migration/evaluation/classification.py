"""Precision, recall and F1 of one predicted category against a set of true ones.

The true class of an example is the predicted id if it is among the true ids, else the smallest true id (as
`schemas.signatures.label_key` says). Ids follow falling frequency, so equal scores are decided for the largest id: a
constant score predicts the rarest category, not the most popular one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interest_migration.errors import ContractError
from interest_migration.evaluation.bootstrap import Draws, Resamples, divide
from interest_migration.evaluation.spaces import Numbers
from interest_migration.ragged import Ragged


@dataclass(frozen=True)
class ClassCounts:
    """Weighted counts by class, all `[C, D]`."""

    predicted: Draws
    true: Draws
    correct: Draws


def predict_class(scores: Numbers) -> npt.NDArray[np.int64]:
    """Returns `[N]`, the column with the highest of `[N, C]` scores; of equal ones the last."""
    return scores.shape[1] - 1 - np.argmax(scores[:, ::-1], axis=1)


def true_class(predicted: npt.NDArray[np.int64], labels: Ragged) -> npt.NDArray[np.int64]:
    """Returns `[N]`, the predicted column where it is among the true ones, else the smallest true one.

    Raises:
      ContractError: If an example has no true column.
    """
    if not (labels.lengths > 0).all():
        raise ContractError("expected at least one label per example, received an example without")
    smallest = np.full(len(labels), np.iinfo(np.int64).max)
    np.minimum.at(smallest, labels.row_ids, labels.values.astype(np.int64))
    hit = np.zeros(len(labels), np.bool_)
    hit[labels.row_ids[labels.values == predicted[labels.row_ids]]] = True
    return np.where(hit, predicted, smallest)


def count_classes(
    predicted: npt.NDArray[np.int64], true: npt.NDArray[np.int64], classes: int, resamples: Resamples
) -> ClassCounts:
    """Counts predictions, truths and their agreement by class."""
    return ClassCounts(
        predicted=resamples.group_sums(predicted, classes),
        true=resamples.group_sums(true, classes),
        correct=resamples.group_sums(true, classes, predicted == true),
    )


def classification_draws(counts: ClassCounts) -> dict[str, Draws]:
    """Returns accuracy and macro / weighted precision, recall and F1, each as draws `[D]`.

    Macro: mean over the classes that were predicted or true; weighted: mean by number of true examples. A ratio
    without denominator is 0, as in scikit-learn with `zero_division=0`.
    """
    by_class = {
        "precision": np.nan_to_num(divide(counts.correct, counts.predicted)),
        "recall": np.nan_to_num(divide(counts.correct, counts.true)),
        "f1": np.nan_to_num(divide(2 * counts.correct, counts.predicted + counts.true)),
    }
    present = (counts.predicted + counts.true > 0).sum(axis=0).astype(np.float64)
    total = counts.true.sum(axis=0)
    draws = {"accuracy": divide(counts.correct.sum(axis=0), total)}
    for name, values in by_class.items():
        draws[f"macro_{name}"] = divide(values.sum(axis=0), present)
        draws[f"weighted_{name}"] = divide((values * counts.true).sum(axis=0), total)
    return draws
