import tensorflow as tf

from interest_migration.transform.steps import gap_seconds, step_index


def test_equal_ages_are_one_step_counted_back_from_the_newest():
    ages = tf.ragged.constant([[900, 500, 500, 20], [], [7], [3, 3]], dtype=tf.int64)
    assert step_index(ages).to_list() == [[2, 1, 1, 0], [], [0], [0, 0]]


def test_gap_is_the_time_since_the_step_before():
    ages = tf.ragged.constant([[900, 500, 500, 20], [], [7], [3, 3]], dtype=tf.int64)
    assert gap_seconds(ages).to_list() == [[-1, 400, 400, 480], [], [-1], [-1, -1]]


def test_equal_ages_of_neighbouring_users_are_two_steps():
    ages = tf.ragged.constant([[9, 5], [5, 2]], dtype=tf.int64)
    assert step_index(ages).to_list() == [[1, 0], [1, 0]]
    assert gap_seconds(ages).to_list() == [[-1, 4], [-1, 3]]


def test_no_events_at_all():
    ages = tf.ragged.constant([[], []], dtype=tf.int64, ragged_rank=1)
    assert step_index(ages).to_list() == [[], []]
    assert gap_seconds(ages).to_list() == [[], []]
