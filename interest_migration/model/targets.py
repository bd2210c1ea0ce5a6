"""Targets at every position: the set of ids of the step that follows.

Positions count back from the newest step, 0; the label set is what follows it. Example with ids of four events:

    step_index [1, 1, 0, 0]   ids [5, 5, 2, 7]   label ids [3]
    position 0: {3}           position 1: {2, 7}     (the ids 5 follow no step)
"""

from typing import NamedTuple

import tensorflow as tf


class Targets(NamedTuple):
    """Distinct (position, id) pairs.

    Attributes:
      position: `[B, M]` int32.
      ids: `[B, M]` int32, from 1; 0 where there is no target.
      weight: `[B, M]` float32, 1 over the number of targets of the position; 0 where there is no target.
    """

    position: tf.Tensor
    ids: tf.Tensor
    weight: tf.Tensor


def next_step_targets(
    ids: tf.Tensor, step_index: tf.Tensor, label_ids: tf.Tensor, positions: int, size: int
) -> Targets:
    """Collects the targets of the newest positions.

    Args:
      ids: `[B, E]` int32 ids of the events.
      step_index: `[B, E]` int32, negative for padding.
      label_ids: `[B, N]` int32 ids of the step after the cut, padded with 0.
      positions: Number of newest positions L that have targets.
      size: V; ids outside 1..V are no targets.

    Returns:
      Targets with M = E + N.
    """
    oldest = tf.reduce_max(tf.pad(step_index, [[0, 0], [0, 1]], constant_values=-1), axis=1, keepdims=True)
    position = tf.concat([tf.where(step_index < 0, positions, step_index + 1), tf.zeros_like(label_ids)], axis=1)
    all_ids = tf.concat([ids, label_ids], axis=1)
    valid = (all_ids >= 1) & (all_ids <= size) & (position < positions) & ((position <= oldest) | (position == 0))
    base = size + 1
    key = tf.sort(tf.where(valid, position * base + all_ids, positions * base), axis=1)
    before = tf.pad(key[:, :-1], [[0, 0], [1, 0]], constant_values=-1)[:, : tf.shape(key)[1]]
    keep = (key != before) & (key < positions * base)
    position, kept_ids = tf.where(keep, key // base, positions), tf.where(keep, key % base, 0)
    return Targets(position, kept_ids, _weights(position, positions))


def trim(targets: Targets) -> Targets:
    """Cuts off the columns in which no example of the batch has a target; they come last. Shapes become dynamic."""
    longest = tf.reduce_max(tf.reduce_sum(tf.cast(targets.ids > 0, tf.int32), axis=1))
    # Repeated events leave holes between the targets, which sorting moves to the end.
    order = tf.argsort(tf.cast(targets.ids == 0, tf.int32), axis=1, stable=True)[:, :longest]
    return Targets(*(tf.gather(column, order, batch_dims=1) for column in targets))


def _weights(position: tf.Tensor, positions: int) -> tf.Tensor:
    """`[B, M]`: 1 over how often the position occurs in the row; 0 for the position `positions`."""
    marks = tf.one_hot(position, positions)
    counts = tf.reduce_sum(marks, axis=1)
    return tf.reduce_sum(marks / tf.maximum(counts, 1)[:, tf.newaxis], axis=-1)
