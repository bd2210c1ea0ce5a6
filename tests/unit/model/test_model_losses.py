import numpy as np
import pytest
import tensorflow as tf

from interest_migration.model.losses import (
    binary_loss,
    draw_log_uniform,
    full_softmax_losses,
    log_inclusion,
    masked_mean,
    propensity_loss,
    sampled_softmax_losses,
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


def test_full_softmax_against_a_set():
    # Position 0: two targets of four equal candidates. Position 1: one target with three times the weight of the rest.
    logits = tf.constant([[[0.0] * 4, [np.log(3.0), 0.0, 0.0, 0.0]]], tf.float32)
    at_cut, before = full_softmax_losses(logits, targets([[0, 0, 1, 2]], [[1, 4, 1, 0]], [[0.5, 0.5, 1.0, 0.0]]))
    assert float(at_cut) == pytest.approx(np.log(4))
    assert float(before) == pytest.approx(np.log(2))


def test_full_softmax_without_targets():
    found = full_softmax_losses(tf.zeros([1, 2, 4]), targets([[2]], [[0]], [[0.0]]))
    assert [float(value) for value in found] == [0, 0]


def test_log_uniform_draws_follow_their_law():
    ids, logs = draw_log_uniform(20_000, 8, tf.constant([1, 2]))
    shares = np.bincount(ids.numpy(), minlength=9)[1:] / 20_000
    expected = [np.log((number + 1) / number) / np.log(9) for number in range(1, 9)]
    assert shares == pytest.approx(expected, abs=0.02)
    assert logs.numpy() == pytest.approx(np.zeros(20_000), abs=1e-3)


def test_inclusion_of_one_draw_is_its_probability():
    assert np.exp(log_inclusion(tf.constant([1, 3]), 1, 3).numpy()) == pytest.approx([0.5, np.log(4 / 3) / np.log(4)])


def test_sampled_softmax_leaves_out_targets_and_repetitions():
    # V = 3, draws 1, 1, 2. Target 2 at position 0: only one draw of 1 is a negative.
    chance = lambda number: 1 - (1 - np.log((number + 1) / number) / np.log(4)) ** 3  # noqa: E731
    logits, own = tf.constant([[[0.3, 0.3, 0.9]]]), tf.constant([[0.9]])
    at_cut, before = sampled_softmax_losses(logits, tf.constant([1, 1, 2]), own, targets([[0]], [[2]], [[1.0]]), 3)
    positive, negative = np.exp(0.9) / chance(2), np.exp(0.3) / chance(1)
    assert float(at_cut) == pytest.approx(-np.log(positive / (positive + negative)), rel=1e-5)
    assert float(before) == 0


def test_sampled_softmax_approaches_the_full_one():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=30).astype(np.float32)
    goal = targets([[0]], [[7]], [[1.0]])
    full, _ = full_softmax_losses(tf.constant(scores[None, None]), goal)
    ids, _ = draw_log_uniform(5_000, 30, tf.constant([3, 4]))
    drawn = tf.gather(scores, ids - 1)[tf.newaxis, tf.newaxis]
    sampled, _ = sampled_softmax_losses(drawn, ids, tf.constant(scores[None, 6:7]), goal, 30)
    assert float(sampled) == pytest.approx(float(full), rel=1e-4)


def test_sampled_softmax_is_finite_if_every_draw_is_a_target():
    at_cut, _ = sampled_softmax_losses(
        tf.zeros([1, 1, 2]), tf.constant([2, 2]), tf.zeros([1, 1]), targets([[0]], [[2]], [[1.0]]), 3
    )
    assert float(at_cut) == 0
