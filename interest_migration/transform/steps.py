"""Steps of a history, from the ages of its events.

Events of equal age form one step; steps count back from the newest, which is 0. Example of one history:

    age_seconds   [900, 500, 500, 20]
    step_index    [  2,   1,   1,  0]
    gap_seconds   [ -1, 400, 400, 480]     time since the step before, -1 if there is none
"""

import tensorflow as tf


def step_index(age_seconds: tf.RaggedTensor) -> tf.RaggedTensor:
    """Returns the steps from each event to the newest step of its history.

    Args:
      age_seconds: `[B, (E)]` int64, old to new, so descending.

    Returns:
      `[B, (E)]` int64.
    """
    number = tf.cumsum(tf.cast(_starts(age_seconds), tf.int64))
    newest = tf.math.segment_max(number, age_seconds.value_rowids())
    return age_seconds.with_flat_values(tf.gather(newest, age_seconds.value_rowids()) - number)


def gap_seconds(age_seconds: tf.RaggedTensor) -> tf.RaggedTensor:
    """Returns the time from the step before to each event's step; -1 in the first step.

    Args:
      age_seconds: `[B, (E)]` int64, old to new, so descending.

    Returns:
      `[B, (E)]` int64.
    """
    ages, rows = age_seconds.flat_values, age_seconds.value_rowids()
    starts = _starts(age_seconds)
    first_event = tf.gather(tf.where(starts)[:, 0], tf.cumsum(tf.cast(starts, tf.int64)) - 1)
    before = tf.maximum(first_event - 1, 0)
    has_before = (first_event > 0) & (tf.gather(rows, before) == rows)
    return age_seconds.with_flat_values(tf.where(has_before, tf.gather(ages, before) - ages, -tf.ones_like(ages)))


def _starts(age_seconds: tf.RaggedTensor) -> tf.Tensor:
    """`[V]` bool over the flat events: whether an event is the first of its step."""
    ages, rows = age_seconds.flat_values, age_seconds.value_rowids()
    changes = (ages[1:] != ages[:-1]) | (rows[1:] != rows[:-1])
    return tf.concat([tf.ones_like(ages[:1], tf.bool), changes], axis=0)
