import tensorflow as tf

from interest_migration.model.gains import Gains, add_gains, sum_distinct


def test_sum_distinct():
    ids, sums = sum_distinct(tf.constant([[7, 0, 3, 7], [0, 0, 0, 0]]), tf.constant([[1.0, 9, 2, 4], [1, 1, 1, 1]]))
    assert ids.numpy().tolist() == [[3, 7, 0, 0], [0, 0, 0, 0]]
    assert sums.numpy().tolist() == [[2, 5, 0, 0], [0, 0, 0, 0]]


def test_sum_distinct_of_empty_histories():
    ids, sums = sum_distinct(tf.zeros([2, 0], tf.int32), tf.zeros([2, 0]))
    assert ids.shape == sums.shape == [2, 0]


def test_gains_add_up_and_are_looked_up():
    gains = add_gains(
        [Gains(tf.constant([[2, 5]]), tf.constant([[1.0, 2]])), Gains(tf.constant([[5, 0]]), tf.constant([[4.0, 0]]))]
    )
    assert gains.ids.numpy().tolist() == [[2, 5, 0, 0]]
    assert gains.at(tf.constant([[5, 0, 9, 2]])).numpy().tolist() == [[6, 0, 0, 1]]
    assert gains.dense(5).numpy().tolist() == [[0, 1, 0, 0, 6]]


def test_hidden_ids_gain_nothing():
    gains = Gains(tf.constant([[2, 3]]), tf.constant([[1.0, 2]]))
    assert gains.of_shown(None) is gains
    assert gains.of_shown(tf.constant([0, 1, 4, 3, 4])).dense(3).numpy().tolist() == [[0, 0, 2]]
