import numpy as np
import pytest
import tensorflow as tf

from interest_migration.model.new_interest_head import NewInterestHead
from schemas.features import HORIZONS, INTEREST_COUNT, INTEREST_IDS


def test_it_starts_near_older_counts_then_popularity():
    head = NewInterestHead(3)
    head.build(None)
    head.rates.assign([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    profile = {INTEREST_IDS: tf.constant([[3, 9, 0], [0, 0, 0]]), INTEREST_COUNT: tf.constant([[4.0, 9, 0], [0, 0, 0]])}
    short, long = (scores.numpy() for scores in head(profile))
    once = 0.75 * np.log(5) + 0.5
    assert short == pytest.approx(np.array([[0, 0.75, once], [0, 0.75, 0]]))
    assert long == pytest.approx(np.array([[0.75, 0, once], [0.75, 0, 0]]))
    assert len(HORIZONS) == 2
