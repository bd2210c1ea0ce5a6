import numpy as np
import pytest
import tensorflow as tf

from interest_migration.model.losses import full_softmax_losses
from interest_migration.model.sampled_softmax import (
    OwnCandidates,
    draw_log_uniform,
    log_inclusion,
    sampled_softmax_losses,
)
from interest_migration.model.targets import Targets

NONE = OwnCandidates(tf.zeros([1, 0], tf.int32), tf.zeros([1, 0]))


def targets(position, ids, weight):
    return Targets(tf.constant(position), tf.constant(ids), tf.constant(weight))


def test_log_uniform_draws_follow_their_law():
    ids = draw_log_uniform(20_000, 8, tf.constant([1, 2]))
    shares = np.bincount(ids.numpy(), minlength=9)[1:] / 20_000
    expected = [np.log((number + 1) / number) / np.log(9) for number in range(1, 9)]
    assert shares == pytest.approx(expected, abs=0.02)
    assert log_inclusion(ids, 20_000, 8).numpy() == pytest.approx(np.zeros(20_000), abs=1e-3)


def test_inclusion_of_one_draw_is_its_probability():
    assert np.exp(log_inclusion(tf.constant([1, 3]), 1, 3).numpy()) == pytest.approx([0.5, np.log(4 / 3) / np.log(4)])


def test_sampled_softmax_leaves_out_targets_and_repetitions():
    # V = 3, draws 1, 1, 2. Target 2 at position 0: only one draw of 1 is a negative.
    chance = lambda number: 1 - (1 - np.log((number + 1) / number) / np.log(4)) ** 3  # noqa: E731
    logits, own = tf.constant([[[0.3, 0.3, 0.9]]]), tf.constant([[0.9]])
    at_cut, before = sampled_softmax_losses(
        logits, tf.constant([1, 1, 2]), own, targets([[0]], [[2]], [[1.0]]), 3, NONE
    )
    positive, negative = np.exp(0.9) / chance(2), np.exp(0.3) / chance(1)
    assert float(at_cut) == pytest.approx(-np.log(positive / (positive + negative)), rel=1e-5)
    assert float(before) == 0


def test_sampled_softmax_approaches_the_full_one():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=30).astype(np.float32)
    goal = targets([[0]], [[7]], [[1.0]])
    full, _ = full_softmax_losses(tf.constant(scores[None, None]), goal)
    ids = draw_log_uniform(5_000, 30, tf.constant([3, 4]))
    drawn = tf.gather(scores, ids - 1)[tf.newaxis, tf.newaxis]
    sampled, _ = sampled_softmax_losses(drawn, ids, tf.constant(scores[None, 6:7]), goal, 30, NONE)
    assert float(sampled) == pytest.approx(float(full), rel=1e-4)


def test_sampled_softmax_is_finite_if_every_draw_is_a_target():
    at_cut, _ = sampled_softmax_losses(
        tf.zeros([1, 1, 2]), tf.constant([2, 2]), tf.zeros([1, 1]), targets([[0]], [[2]], [[1.0]]), 3, NONE
    )
    assert float(at_cut) == 0


def test_own_candidates_are_certain_and_count_once():
    # V = 3, draws 1, 2; the history holds 1 and the target 3: negatives are the drawn 2 and the own 1.
    chance = lambda number: 1 - (1 - np.log((number + 1) / number) / np.log(4)) ** 2  # noqa: E731
    own = OwnCandidates(tf.constant([[1, 3, 0]]), tf.constant([[1.1, 0.7, 9.0]]))
    logits, goal = tf.constant([[[0.3, 0.9]]]), targets([[0]], [[3]], [[1.0]])
    at_cut, _ = sampled_softmax_losses(logits, tf.constant([1, 2]), tf.constant([[0.7]]), goal, 3, own)
    negatives = np.exp(1.1) + np.exp(0.9) / chance(2)
    assert float(at_cut) == pytest.approx(-np.log(np.exp(0.7) / (np.exp(0.7) + negatives)), rel=1e-5)


def test_own_candidates_are_there_at_the_cut_only():
    own = OwnCandidates(tf.constant([[1]]), tf.constant([[5.0]]))
    logits, goal = tf.zeros([1, 2, 1]), targets([[1]], [[2]], [[1.0]])
    with_own = sampled_softmax_losses(logits, tf.constant([3]), tf.zeros([1, 1]), goal, 3, own)
    without = sampled_softmax_losses(logits, tf.constant([3]), tf.zeros([1, 1]), goal, 3, NONE)
    assert [float(value) for value in with_own] == [float(value) for value in without]
