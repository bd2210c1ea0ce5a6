import numpy as np
import pytest
import tensorflow as tf

from interest_migration.model.repeat_encoder import RepeatEncoder
from schemas.features import ACTION_IDS, AGE_BUCKETS, ITEM_IDS, STEP_INDEX


def test_untrained_it_ranks_by_frequency_and_looks_items_up():
    inputs = {
        ITEM_IDS: tf.constant([[5, 2, 5, 0]]),
        AGE_BUCKETS: tf.constant([[1, 2, 3, 0]]),
        ACTION_IDS: tf.constant([[1, 1, 2, 0]]),
        STEP_INDEX: tf.constant([[2, 1, 0, -1]]),
    }
    repeats = RepeatEncoder(ITEM_IDS)(inputs, tf.ones([1, 4]))
    once, twice = repeats.at(tf.constant([[2, 5]])).numpy()[0]
    assert twice / once == pytest.approx(np.log(3) / np.log(2))
    assert repeats.at(tf.constant([[0, 4, 9]])).numpy().tolist() == [[0, 0, 0]]


def test_with_decay_it_begins_with_recency():
    inputs = {
        ITEM_IDS: tf.constant([[5, 5, 2]]),
        AGE_BUCKETS: tf.constant([[3, 3, 1]]),
        ACTION_IDS: tf.constant([[1, 1, 1]]),
        STEP_INDEX: tf.constant([[40, 31, 0]]),
    }
    once, twice = RepeatEncoder(ITEM_IDS, decay=0.5)(inputs, tf.ones([1, 4])).at(tf.constant([[2, 5]])).numpy()[0]
    assert twice / once == pytest.approx(2 * 0.5**31 / np.log(2), rel=1e-3, abs=1e-6)
