import numpy as np
import pytest
import tensorflow as tf

from interest_migration.model.repeat_encoder import RepeatEncoder, sum_distinct
from schemas.features import ACTION_IDS, AGE_BUCKETS, ITEM_IDS


def test_sum_distinct():
    ids, sums = sum_distinct(tf.constant([[7, 0, 3, 7], [0, 0, 0, 0]]), tf.constant([[1.0, 9, 2, 4], [1, 1, 1, 1]]))
    assert ids.numpy().tolist() == [[3, 7, 0, 0], [0, 0, 0, 0]]
    assert sums.numpy().tolist() == [[2, 5, 0, 0], [0, 0, 0, 0]]


def test_sum_distinct_of_empty_histories():
    ids, sums = sum_distinct(tf.zeros([2, 0], tf.int32), tf.zeros([2, 0]))
    assert ids.shape == sums.shape == [2, 0]


def test_untrained_it_ranks_by_frequency_and_looks_items_up():
    inputs = {
        ITEM_IDS: tf.constant([[5, 2, 5, 0]]),
        AGE_BUCKETS: tf.constant([[1, 2, 3, 0]]),
        ACTION_IDS: tf.constant([[1, 1, 2, 0]]),
    }
    repeats = RepeatEncoder()(inputs, tf.ones([1, 4]))
    once, twice = repeats.at(tf.constant([[2, 5]])).numpy()[0]
    assert twice / once == pytest.approx(np.log(3) / np.log(2))
    assert repeats.at(tf.constant([[0, 4, 9]])).numpy().tolist() == [[0, 0, 0]]
