"""Every pair of a user and a category: its numbers, and the network over them."""

import numpy as np
import pytest
import tensorflow as tf

from interest_migration.model.pair_numbers import pair_numbers
from interest_migration.model.pair_scorer import PAIR_TASKS, PairScorer
from schemas.features import INTEREST_COUNT, INTEREST_DECAYED, INTEREST_IDS, INTEREST_RECENCY

PROFILES = {
    INTEREST_IDS: tf.constant([[2, 4], [0, 0]]),  # the second user has no past
    INTEREST_COUNT: tf.constant([[50.0, 1.0], [0.0, 0.0]]),
    INTEREST_RECENCY: tf.constant([[28.0, 3.0], [0.0, 0.0]]),
    **{name: tf.constant([[1.0, 1.0], [0.0, 0.0]]) for name in INTEREST_DECAYED},
}
USUAL = tf.ones([3, 4])
LIFT = tf.constant([[0.0, 0, 0], [0.5, 0, -0.5], [0, 0, 0]])
SHARE, TOUCHED, FRESH, RECENCY, EXPECTED, SURPLUS = 4, 8, 9, 10, 11, 12


def test_numbers_of_pairs():
    numbers = pair_numbers(PROFILES, USUAL, LIFT).numpy()
    assert numbers.shape == (2, 3, 14)
    touched = numbers[0, 1]
    assert touched[0] == pytest.approx(np.log(51))
    # Category 4 is not covered: 50 of 50 touches are of category 2, whose usual share is a third.
    assert touched[SHARE] == pytest.approx(np.log((150 + 50) / (50 + 50)) / 2, rel=1e-3)
    assert touched[[TOUCHED, FRESH]] == pytest.approx([1, np.exp(-1)])
    assert touched[RECENCY] == pytest.approx(np.log(29) / 3)
    expected = numbers[0, :, EXPECTED]
    assert expected == pytest.approx([np.log(51) / 2, 0, 0])  # from category 2; never below 0
    assert numbers[0, :, SURPLUS] == pytest.approx(np.log((expected + 0.02) / (np.log(2) + 0.02)))


def test_nobody_without_a_past_differs_from_what_is_usual():
    numbers = pair_numbers(PROFILES, USUAL, LIFT).numpy()[1]
    assert not numbers[:, [*range(SURPLUS)]].any()
    assert (numbers == numbers[0]).all()


def scorer(covered):
    made = PairScorer(3, covered, 4)
    inputs = (PROFILES, tf.random.stateless_normal([3, 5], [1, 2]), tf.random.stateless_normal([2, 6], [3, 4]))
    made(*inputs)
    for number, variable in enumerate(made.trainable_variables):
        variable.assign(tf.random.stateless_normal(variable.shape, [number, 5]))
    return made, inputs


def test_scores_start_at_zero():
    made = PairScorer(3, 3, 4)
    scores = made(PROFILES, tf.ones([3, 5]), tf.ones([2, 6]))
    assert set(scores) == set(PAIR_TASKS)
    assert not any(np.any(value) for value in scores.values())


def test_only_the_most_frequent_categories_are_covered():
    made, inputs = scorer(covered=2)
    assert made.co_interest.shape == (2, 2)
    scores = made(*inputs)["new_interest_short"].numpy()
    assert scores.shape == (2, 3)
    assert scores[:, :2].all()
    assert not scores[:, 2].any()


def test_co_interest_reaches_the_scores():
    made, inputs = scorer(covered=3)
    before = made(*inputs)["propensity_long"].numpy()
    made.co_interest.assign(LIFT)
    after = made(*inputs)["propensity_long"].numpy()
    assert after[0, 0] != before[0, 0]
    np.testing.assert_array_equal(after[1], before[1])  # no past, nothing to expect from
