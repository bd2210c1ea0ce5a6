"""Item-item weights in closed form."""

import numpy as np
import pytest
import tensorflow as tf

from interest_migration.training import co_interest
from interest_migration.training.co_interest import CoInterest, solve_ease
from schemas.features import INTEREST_COUNT, INTEREST_DECAYED, INTEREST_IDS, INTEREST_RECENCY


def batch(ids, counts):
    counts = tf.constant(counts, tf.float32)
    values = {INTEREST_IDS: tf.constant(ids), INTEREST_COUNT: counts, INTEREST_RECENCY: tf.ones_like(counts)}
    return values | dict.fromkeys(INTEREST_DECAYED, counts / 2)


def test_weights_are_the_best_ridge_regression_of_each_category_on_the_others():
    profiles = np.random.default_rng(0).random([50, 4])
    weights = solve_ease(profiles.T @ profiles, 3.0)
    for column in range(4):
        others = np.delete(profiles, column, axis=1)
        best = np.linalg.solve(others.T @ others + 3.0 * np.eye(3), others.T @ profiles[:, column])
        assert np.delete(weights[:, column], column) == pytest.approx(best)
        assert weights[column, column] == 0


def test_examples_of_batches_are_summed_up(monkeypatch):
    monkeypatch.setattr(co_interest, "RIDGE", 1.0)
    found = CoInterest(2)
    found.add(batch([[1, 2]], [[3.0, 1.0]]))
    found.add(batch([[2, 3], [0, 0]], [[3.0, 9.0], [0.0, 0.0]]))  # category 3 is not covered
    assert found.usual == pytest.approx(np.array([[3, 1.5, 1.5, 1.5], [4, 2, 2, 2]]) / 3)
    logs = np.log([[4.0, 2.0], [1.0, 4.0]])
    assert found.weights == pytest.approx(solve_ease(logs.T @ logs, 1.0))
    assert found.weights[0, 1] > 0


def test_few_examples_say_next_to_nothing():
    found = CoInterest(2)
    found.add(batch([[1, 2]], [[3.0, 3.0]]))
    assert 0 < found.weights[0, 1] < 1e-3
