import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from interest_migration.gates.metrics import CHURN_METRICS
from interest_migration.gates.probabilities import ProbabilityCounts, confusion_at, score_probabilities


def counts_of(probabilities: list[float], labels: list[int]) -> ProbabilityCounts:
    distinct = np.unique(probabilities)
    pairs = list(zip(probabilities, labels, strict=True))
    return ProbabilityCounts(
        distinct,
        np.array([pairs.count((p, 0)) for p in distinct], float),
        np.array([pairs.count((p, 1)) for p in distinct], float),
    )


def test_three_predictions_by_hand() -> None:
    scores = score_probabilities(counts_of([0.2, 0.2, 0.9], [0, 1, 1]), threshold=0.5)
    assert scores["auc"] == pytest.approx(0.75)
    assert scores["auc_precision_recall"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["precision"] == 1
    assert scores["recall"] == 0.5
    assert scores["f1"] == pytest.approx(2 / 3)
    assert scores["calibration"] == pytest.approx(1.3 / 2)
    assert scores["mean_label"] == pytest.approx(2 / 3)
    assert scores["mean_prediction"] == pytest.approx(1.3 / 3)


def test_the_names_are_those_that_rules_use() -> None:
    assert tuple(score_probabilities(counts_of([0.5], [1]), 0.5)) == CHURN_METRICS


def test_one_kind_of_label_leaves_ranking_undefined_but_not_accuracy() -> None:
    scores = score_probabilities(counts_of([0.1, 0.6], [0, 0]), threshold=0.5)
    assert math.isnan(scores["auc"])
    assert math.isnan(scores["auc_precision_recall"])
    assert math.isnan(scores["calibration"])
    assert scores["accuracy"] == 0.5


def test_nothing_known_is_undefined() -> None:
    empty = np.zeros(0)
    assert all(math.isnan(v) for v in score_probabilities(ProbabilityCounts(empty, empty, empty), 0.5).values())


def test_confusion_counts_from_the_threshold_on() -> None:
    counts = counts_of([0.1, 0.5, 0.5, 0.8], [1, 0, 1, 1])
    assert confusion_at(counts, [0.5, 0.9]).tolist() == [[0.5, 2, 1, 0, 1], [0.9, 0, 0, 1, 3]]


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1)), min_size=2, max_size=40))
def test_agrees_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    probabilities, labels = [p / 8 for p, _ in pairs], [label for _, label in pairs]
    scores = score_probabilities(counts_of(probabilities, labels), threshold=0.5)
    if 0 < sum(labels) < len(labels):
        assert scores["auc"] == pytest.approx(roc_auc_score(labels, probabilities))
        assert scores["auc_precision_recall"] == pytest.approx(average_precision_score(labels, probabilities))
