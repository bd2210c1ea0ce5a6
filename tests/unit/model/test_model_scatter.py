import tensorflow as tf

from interest_migration.model.scatter import members, sum_by_id


def test_sums_values_of_the_same_row_and_id():
    found = sum_by_id(tf.constant([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]]), tf.constant([[2, 0, 2], [-1, 3, 1]]), 3)
    assert found.numpy().tolist() == [[2, 0, 5], [0, 32, 0]]


def test_sums_vectors():
    found = sum_by_id(tf.constant([[[1.0, 2.0], [3.0, 4.0]]]), tf.constant([[1, 1]]), 2)
    assert found.numpy().tolist() == [[[0, 0], [4, 6]]]


def test_sums_nothing():
    assert sum_by_id(tf.zeros([2, 0]), tf.zeros([2, 0], tf.int32), 2).numpy().tolist() == [[0, 0], [0, 0]]


def test_members_leave_out_none_and_out_of_vocabulary():
    found = members(tf.constant([[3, 1, 0], [4, 4, 2]]), 3)
    assert found.numpy().tolist() == [[True, False, True], [False, True, False]]
