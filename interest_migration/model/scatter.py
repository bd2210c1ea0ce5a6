"""Sums of values by id."""

import tensorflow as tf


def sum_by_id(values: tf.Tensor, ids: tf.Tensor, size: int | tf.Tensor) -> tf.Tensor:
    """Adds values of the same row and id.

    Args:
      values: `[B, N]` or `[B, N, D]`.
      ids: `[B, N]` int32; ids outside 0..size-1 are left out.
      size: V.

    Returns:
      `[B, V]` or `[B, V, D]`.

    Example:
      values [[1, 2, 4]], ids [[2, 0, 2]], size 3 -> [[2, 0, 5]].
    """
    rows = tf.shape(ids)[0]
    inside = (ids >= 0) & (ids < size)
    segments = tf.where(inside, ids + tf.range(rows)[:, tf.newaxis] * size, -1)
    flat = tf.reshape(values, tf.concat([[-1], tf.shape(values)[2:]], axis=0))
    sums = tf.math.unsorted_segment_sum(flat, tf.reshape(segments, [-1]), rows * size)
    result = tf.reshape(sums, tf.concat([[rows, size], tf.shape(values)[2:]], axis=0))
    return tf.ensure_shape(result, [None, size if isinstance(size, int) else None, *values.shape[2:]])


def members(ids: tf.Tensor, size: int) -> tf.Tensor:
    """Marks which vocabulary ids a set holds.

    Args:
      ids: `[B, N]` int32; 0 and ids above `size` mark nothing.
      size: V.

    Returns:
      `[B, V]` bool; column j stands for id j + 1.

    Example:
      ids [[3, 1, 0]], size 3 -> [[True, False, True]].
    """
    return sum_by_id(tf.ones_like(ids, tf.float32), ids - 1, size) > 0
