"""The rhythm of visits as it would be had some events not happened, see `interest_migration.examples.visits`."""

from collections.abc import Sequence
from typing import Final

import tensorflow as tf

from interest_migration.model.raw_batch import RawBatch, Tensors
from schemas.features import ABSENCE, EVENT_ACTION, VISIT_RECENCY, WINDOW_DAYS, WINDOW_VISITS

_FAR: Final = 1e9  # days


def visiting(batch: RawBatch, churn_actions: Sequence[str]) -> tf.Tensor:
    """Returns `[B, E]` bool: which events make a step a visit; without any `churn_actions`, all."""
    if not churn_actions:
        return batch.kept
    action = batch.events[EVENT_ACTION][..., tf.newaxis] == tf.constant(list(churn_actions))
    return batch.kept & tf.reduce_any(action, axis=-1)


def visits_without(
    numbers: Tensors, tenure: tf.Tensor, visits: tf.Tensor, gone: tf.Tensor, member: tf.Tensor, age: tf.Tensor
) -> Tensors:
    """Counts the remaining visits.

    Args:
      numbers: Raw numbers as they are, `[B, 1, W]` or `[B, 1, 1]`.
      tenure: `[B, V, 1]` days since the first remaining event.
      visits: `[B, E]`, what `visiting` returned.
      gone: `[B, V, E]` bool, the events taken out.
      member: `[B, E, S]` float32, 1 where an event belongs to a step.
      age: `[B, S]` days of the steps.

    Returns:
      The numbers of visits, `[B, V, W]` or `[B, V, 1]`. Visits older than the history stay as they are.
    """
    before = tf.reduce_sum(member * tf.cast(visits, tf.float32)[..., tf.newaxis], axis=1) > 0
    left = tf.matmul(tf.cast(visits[:, tf.newaxis] & ~gone, tf.float32), member) > 0.5
    lost = tf.cast(before[:, tf.newaxis] & ~left, tf.float32)
    windows = tf.constant(WINDOW_DAYS, tf.float32)
    inside = tf.cast(age[..., tf.newaxis] <= windows, tf.float32)
    listed = _ascending(age, before)[:, tf.newaxis]
    remaining = _ascending(age[:, tf.newaxis], left)
    newest = remaining[..., :1]
    change = _absence(remaining, windows) - _absence(listed, windows)
    changed = tf.reduce_any(lost > 0, axis=-1, keepdims=True)
    found = {
        WINDOW_VISITS: tf.maximum(numbers[WINDOW_VISITS] - tf.matmul(lost, inside), 0.0),
        ABSENCE: tf.where(newest < _FAR, tf.maximum(numbers[ABSENCE] + change, 0.0), 0.0),
    }
    found = {name: tf.where(changed, value, numbers[name]) for name, value in found.items()}
    # Without any visit it counts from the first event, which may be another one now.
    some = tf.reduce_any(before, axis=-1)[:, tf.newaxis, tf.newaxis]
    since = tf.where(newest < _FAR, newest, tenure)
    return found | {VISIT_RECENCY: tf.where(changed | ~some, since, numbers[VISIT_RECENCY])}


def _ascending(age: tf.Tensor, there: tf.Tensor) -> tf.Tensor:
    """`[..., S + 1]` ages in ascending order, `_FAR` behind the last."""
    ages = tf.sort(tf.where(there, age, _FAR), axis=-1)
    padding = [[0, 0]] * (ages.shape.rank - 1) + [[0, 1]]
    return tf.pad(ages, padding, constant_values=_FAR)


def _absence(ages: tf.Tensor, windows: tf.Tensor) -> tf.Tensor:
    """`[..., W]` days by which gaps between `[..., S]` ascending ages, and the newest age, pass each window."""
    gaps = tf.where(ages < _FAR, ages - tf.pad(ages, [[0, 0]] * (ages.shape.rank - 1) + [[1, 0]])[..., :-1], 0.0)
    return tf.reduce_sum(tf.maximum(gaps[..., tf.newaxis] - windows, 0.0), axis=-2)
