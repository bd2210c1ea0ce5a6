import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from interest_migration.errors import ContractError
from interest_migration.evaluation.bootstrap import Resamples
from interest_migration.evaluation.classification import (
    classification_draws,
    count_classes,
    predict_class,
    true_class,
)
from interest_migration.ragged import Ragged


def _measure(predicted, true, classes):
    counts = count_classes(np.array(predicted), np.array(true), classes, Resamples.none(len(true)))
    return {name: draws[0] for name, draws in classification_draws(counts).items()}


def test_constant_scores_predict_the_rarest_category():
    assert predict_class(np.array([[1.0, 1.0, 1.0], [0.0, 2.0, 1.0]])).tolist() == [2, 1]


def test_true_class_is_the_prediction_if_right_else_the_smallest_label():
    labels = Ragged(np.array([4, 2, 3, 1]), np.array([0, 2, 4]))
    assert true_class(np.array([4, 0]), labels).tolist() == [4, 1]


def test_true_class_needs_labels():
    with pytest.raises(ContractError, match="at least one label"):
        true_class(np.array([0]), Ragged(np.array([], int), np.array([0, 0])))


def test_by_hand():
    # class 0: predicted 2, true 1, right 1; class 1: predicted 1, true 2, right 1; class 2 never occurs
    measured = _measure([0, 0, 1], [0, 1, 1], 3)
    assert measured["accuracy"] == pytest.approx(2 / 3)
    assert measured["macro_precision"] == pytest.approx((1 / 2 + 1) / 2)
    assert measured["macro_recall"] == pytest.approx((1 + 1 / 2) / 2)
    assert measured["macro_f1"] == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert measured["weighted_precision"] == pytest.approx((1 * 1 / 2 + 2 * 1) / 3)


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_agrees_with_scikit_learn(average):
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 6, 40), rng.integers(1, 9, 40)
    measured = _measure(predicted, true, 9)
    expected = precision_recall_fscore_support(true, predicted, average=average, zero_division=0)
    assert [measured[f"{average}_{name}"] for name in ("precision", "recall", "f1")] == pytest.approx(expected[:3])
    assert measured["accuracy"] == pytest.approx(accuracy_score(true, predicted))
