import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, roc_auc_score

from interest_migration.model.measures import has_both, hit_at, ndcg_at, reciprocal_rank, user_auc

SCORES = tf.constant([[0.1, 0.7, 0.4, 0.2]])
THIRD = tf.constant([[False, False, True, False]])
NONE = tf.constant([[False] * 4])
ALL = tf.constant([[True] * 4])


def test_measures_by_hand():
    assert float(hit_at(SCORES, THIRD, 1)[0]) == 0
    assert float(hit_at(SCORES, THIRD, 2)[0]) == 1
    assert float(hit_at(SCORES, THIRD, 10)[0]) == 1
    assert float(reciprocal_rank(SCORES, THIRD)[0]) == 0.5
    assert float(ndcg_at(SCORES, THIRD, 10)[0]) == pytest.approx(0.6309, abs=1e-4)
    assert float(user_auc(SCORES, THIRD, ALL)[0]) == pytest.approx(2 / 3)


def test_ndcg_of_two_positives():
    positives = tf.constant([[True, True, False, False]])  # ranked fourth and first
    expected = (1 + 1 / np.log2(5)) / (1 + 1 / np.log2(3))
    assert float(ndcg_at(SCORES, positives, 10)[0]) == pytest.approx(expected)
    assert float(ndcg_at(SCORES, positives, 1)[0]) == pytest.approx(1)


def test_nothing_positive_gives_zero():
    for found in (hit_at(SCORES, NONE, 2), ndcg_at(SCORES, NONE, 2), reciprocal_rank(SCORES, NONE)):
        assert float(found[0]) == 0
    assert float(user_auc(SCORES, NONE, ALL)[0]) == 0
    assert float(user_auc(SCORES, ALL, ALL)[0]) == 0


def test_user_auc_counts_ties_half_and_candidates_only():
    scores = tf.constant([[1.0, 2.0, 2.0, 3.0, 9.0]])
    positives = tf.constant([[False, False, True, True, False]])
    candidates = tf.constant([[True, True, True, True, False]])
    assert float(user_auc(scores, positives, candidates)[0]) == pytest.approx(0.875)
    assert has_both(positives, candidates).numpy().tolist() == [True]
    assert has_both(positives, positives).numpy().tolist() == [False]


def test_equal_scores_rank_by_column():
    assert float(reciprocal_rank(tf.zeros([1, 4]), THIRD)[0]) == pytest.approx(1 / 3)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=9))
def test_agrees_with_scikit_learn(pairs):
    scores = np.array([[score for score, _ in pairs]], np.float32)
    positives = np.array([[positive for _, positive in pairs]])
    if positives.all() or not positives.any():
        return
    found = user_auc(tf.constant(scores), tf.constant(positives), tf.ones(scores.shape, tf.bool))
    assert float(found[0]) == pytest.approx(roc_auc_score(positives[0], scores[0]), abs=1e-6)
    distinct = scores + np.arange(scores.shape[1], dtype=np.float32) / 100
    found = ndcg_at(tf.constant(distinct), tf.constant(positives), 5)
    assert float(found[0]) == pytest.approx(ndcg_score(positives, distinct, k=5), abs=1e-5)
