import numpy as np
import pytest
import tensorflow as tf

from interest_migration.model.losses import (
    binary_loss,
    candidate_loss,
    full_softmax_losses,
    masked_mean,
    propensity_loss,
)
from interest_migration.model.targets import Targets


def targets(position, ids, weight):
    return Targets(tf.constant(position), tf.constant(ids), tf.constant(weight))


def test_masked_mean():
    assert float(masked_mean(tf.constant([2.0, 4.0]), tf.constant([1.0, 0.0]))) == 2
    assert float(masked_mean(tf.constant([2.0, 4.0]), tf.constant([0.0, 0.0]))) == 0


def test_binary_loss_skips_unknown_labels():
    found = binary_loss(tf.constant([0.0, 50.0, np.log(3.0)], tf.float32), tf.constant([1, -1, 0]))
    assert float(found) == pytest.approx((np.log(2) + np.log(4)) / 2)


def test_binary_loss_without_any_label():
    assert float(binary_loss(tf.constant([9.0]), tf.constant([-1]))) == 0


def test_binary_loss_of_extreme_logits_is_finite():
    assert float(binary_loss(tf.constant([1e30, -1e30]), tf.constant([1, 0]))) == 0


def test_propensity_loss_counts_observed_rows_only():
    logits = tf.constant([[0.0, np.log(3.0)], [7.0, 7.0]], tf.float32)
    found = propensity_loss(logits, tf.constant([[True, False], [True, True]]), tf.constant([1, 0]))
    assert float(found) == pytest.approx((np.log(2) + np.log(4)) / 2)
    assert float(propensity_loss(logits, tf.constant([[True, False]] * 2), tf.constant([0, -1]))) == 0


def test_candidate_loss_counts_candidates_only():
    logits = tf.constant([[0.0, np.log(3.0), 50.0], [9.0, 9.0, 9.0]], tf.float32)
    candidates = tf.constant([[True, True, False], [True, True, True]])
    found = candidate_loss(logits, tf.constant([[True, False, True], [False, False, False]]), candidates, tf.ones(2))
    assert float(found) == pytest.approx((np.log(2) + np.log(4)) / 2)


def test_candidate_loss_weighs_examples_by_weight_over_positives():
    logits, every = tf.constant([[0.0, 0.0], [0.0, np.log(3.0)]], tf.float32), tf.constant([[True, True]] * 2)
    found = candidate_loss(logits, tf.constant([[True, True], [True, False]]), every, tf.constant([3.0, 1.0]))
    assert float(found) == pytest.approx((1.5 * 2 * np.log(2) + np.log(2) + np.log(4)) / (1.5 * 2 + 2))


def test_candidate_loss_without_any_positive_candidate():
    nobody = tf.constant([[False, False]])
    assert float(candidate_loss(tf.zeros([1, 2]), ~nobody, nobody, tf.ones(1))) == 0


def test_full_softmax_against_a_set():
    # Position 0: two targets of four equal candidates. Position 1: one target with three times the weight of the rest.
    logits = tf.constant([[[0.0] * 4, [np.log(3.0), 0.0, 0.0, 0.0]]], tf.float32)
    at_cut, before = full_softmax_losses(logits, targets([[0, 0, 1, 2]], [[1, 4, 1, 0]], [[0.5, 0.5, 1.0, 0.0]]))
    assert float(at_cut) == pytest.approx(np.log(4))
    assert float(before) == pytest.approx(np.log(2))


def test_full_softmax_without_targets():
    found = full_softmax_losses(tf.zeros([1, 2, 4]), targets([[2]], [[0]], [[0.0]]))
    assert [float(value) for value in found] == [0, 0]
