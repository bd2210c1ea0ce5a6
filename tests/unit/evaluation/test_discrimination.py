import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from interest_migration.evaluation.bootstrap import Resamples
from interest_migration.evaluation.discrimination import (
    auroc,
    auroc_draws,
    average_precision,
    average_precision_draws,
    macro_auroc,
    macro_auroc_draws,
    scored_columns,
)

SCORES = np.array([1.0, 2.0, 2.0, 3.0])
POSITIVES = np.array([False, False, True, True])


def test_ties_count_half_in_auroc():
    assert auroc(SCORES, POSITIVES) == 0.875


def test_ties_form_one_threshold_in_average_precision():
    assert average_precision(SCORES, POSITIVES) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


@pytest.mark.parametrize(("scores", "expected"), [([4.0, 3, 2, 1], 0.0), ([1.0, 2, 3, 4], 1.0), ([7.0, 7, 7, 7], 0.5)])
def test_auroc_of_reversed_perfect_and_constant_scores(scores, expected):
    assert auroc(np.array(scores), POSITIVES) == expected


def test_constant_score_has_average_precision_of_the_positive_share():
    assert average_precision(np.zeros(4), np.array([True, False, False, False])) == 0.25


def test_infinite_scores_are_ranked():
    assert auroc(np.array([-np.inf, 0.0, np.inf]), np.array([False, False, True])) == 1.0


@pytest.mark.parametrize("positives", [[], [False, False], [True, True]])
def test_one_class_or_none_is_undefined(positives):
    assert math.isnan(auroc(np.arange(len(positives), dtype=float), np.array(positives, bool)))


def test_average_precision_without_positives_is_undefined():
    assert math.isnan(average_precision(np.array([1.0, 2.0]), np.array([False, False])))


def test_macro_auroc_leaves_rare_and_full_columns_out():
    positives = np.array([[1, 1, 1, 0], [0, 1, 0, 0], [1, 1, 0, 0]], bool)
    scores = np.array([[3.0, 0, 0, 0], [2.0, 0, 9, 0], [1.0, 0, 1, 0]])
    assert scored_columns(positives, 1).tolist() == [0, 2]
    assert scored_columns(positives, 2).tolist() == [0]
    assert macro_auroc(scores, positives, 1) == (0.5 + 0.0) / 2
    assert macro_auroc(scores, positives, 2) == 0.5
    assert math.isnan(macro_auroc(scores, positives, 3))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_agrees_with_scikit_learn(rows):
    scores = np.array([score for score, _ in rows], float)
    positives = np.array([positive for _, positive in rows])
    if 0 < positives.sum() < len(positives):
        assert auroc(scores, positives) == pytest.approx(roc_auc_score(positives, scores))
        assert average_precision(scores, positives) == pytest.approx(average_precision_score(positives, scores))


def test_draws_agree_with_scikit_learn_on_repeated_examples():
    rng = np.random.default_rng(5)
    users = rng.integers(0, 12, 60)
    scores, positives = np.round(rng.normal(size=60), 1), rng.random(60) < 0.6
    resamples = Resamples.draw(users, 8, seed=1)
    areas = auroc_draws(scores, positives, resamples)
    precisions = average_precision_draws(scores, positives, resamples)
    for column in range(9):
        weights = resamples.weights[resamples.clusters, column]
        assert areas[column] == pytest.approx(roc_auc_score(positives, scores, sample_weight=weights))
        expected = average_precision_score(positives, scores, sample_weight=weights)
        assert precisions[column] == pytest.approx(expected)


def test_macro_draws_skip_columns_that_a_resample_lacks():
    resamples = Resamples(np.array([0, 1, 2]), np.array([[1, 1], [1, 2], [1, 0]], np.float32))
    positives = np.array([[1, 0], [0, 0], [0, 1]], bool)
    scores = np.array([[2.0, 1], [1.0, 2], [1.0, 3]])
    assert macro_auroc_draws(scores, positives, resamples, 1).tolist() == [1.0, 1.0]
