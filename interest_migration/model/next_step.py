"""Examples as they will be if the user's next step is a given category."""

from typing import Final, NamedTuple

import tensorflow as tf

from interest_migration.model.raw_batch import RawBatch, Tensors
from schemas.features import (
    DECAY_HALF_LIFE_DAYS,
    EVENT_ACTION,
    EVENT_AGE,
    EVENT_BRAND,
    EVENT_CATEGORY,
    EVENT_CHILD,
    EVENT_ITEM,
    EVENT_PARENT,
    EVENT_PLATFORM,
    EVENT_PRICE,
    EVENT_SESSION,
    GAP_LAST,
    GAP_MEAN,
    INTEREST_CATEGORY,
    INTEREST_COUNT,
    INTEREST_DECAYED,
    INTEREST_RECENCY,
    LIFETIME_EVENTS,
    LIFETIME_STEPS,
    RECENCY,
    TENURE,
    VISIT_RECENCY,
)

_DAY_SECONDS: Final = 86_400
_SECOND_STEP_DAYS: Final = 7.0
"""Gap of users with fewer than two steps."""


class Typical(NamedTuple):
    """The typical event of each of N categories: that of its most frequent item; all `[N]` strings."""

    category: tf.Tensor
    item: tf.Tensor
    parent: tf.Tensor
    child: tf.Tensor
    brand: tf.Tensor


def after_step(batch: RawBatch, typical: Typical) -> RawBatch:
    """Appends one step of one event to each of N examples, and moves the cut on by the user's mean gap between steps.

    The new cut is as far from the new step as the old cut from the newest one. Action, platform and price are those of
    the newest event. Windowed aggregates stay: within a few steps users are taken to remain as active as they are.

    Args:
      batch: N examples.
      typical: The event to append.

    Returns:
      N examples with one event more; categories new to the profile get a row at its end.

    Example:
      tea 9 and 2 days ago, then milk -> ages 16 and 9, milk 2 days ago; recency 2 days, last gap 7 days.
    """
    mean = batch.numbers[GAP_MEAN]
    gap = tf.where(mean > 0, mean, _SECOND_STEP_DAYS)
    newest = tf.reduce_min(tf.where(batch.kept, batch.events[EVENT_AGE], tf.int64.max), axis=1, keepdims=True)
    newest = tf.where(newest == tf.int64.max, tf.constant(_DAY_SECONDS, tf.int64), newest)
    interests, rows = _profile(batch, typical, gap, tf.cast(newest, tf.float32) / _DAY_SECONDS)
    return RawBatch(
        events=_events(batch, typical, tf.cast(gap * _DAY_SECONDS, tf.int64), newest),
        kept=tf.pad(batch.kept, [[0, 0], [0, 1]], constant_values=True),
        interests=interests,
        rows=rows,
        numbers=batch.numbers
        | {
            LIFETIME_EVENTS: batch.numbers[LIFETIME_EVENTS] + 1,
            LIFETIME_STEPS: batch.numbers[LIFETIME_STEPS] + 1,
            TENURE: batch.numbers[TENURE] + gap,
            GAP_LAST: gap,
            RECENCY: tf.cast(newest, tf.float32) / _DAY_SECONDS,
            VISIT_RECENCY: _visit_recency(batch, gap),
        },
    )


def _visit_recency(batch: RawBatch, gap: tf.Tensor) -> tf.Tensor:
    """The step appended is a visit if the newest one is."""
    days = batch.numbers[VISIT_RECENCY]
    return tf.where(days > batch.numbers[RECENCY], days + gap, days)


def _events(batch: RawBatch, typical: Typical, gap_s: tf.Tensor, newest: tf.Tensor) -> Tensors:
    shift = {EVENT_AGE: gap_s, EVENT_SESSION: tf.ones_like(gap_s)}
    appended = {
        EVENT_CATEGORY: typical.category[:, tf.newaxis],
        EVENT_ITEM: typical.item[:, tf.newaxis],
        EVENT_PARENT: typical.parent[:, tf.newaxis],
        EVENT_CHILD: typical.child[:, tf.newaxis],
        EVENT_BRAND: typical.brand[:, tf.newaxis],
        EVENT_AGE: newest,
        EVENT_SESSION: tf.zeros_like(newest),
    }
    defaults = {EVENT_ACTION: "purchase", EVENT_PLATFORM: "", EVENT_PRICE: -1.0}
    last = tf.reduce_sum(tf.cast(batch.kept, tf.int32), axis=1) - 1
    for name, default in defaults.items():
        values = tf.pad(batch.events[name], [[0, 0], [0, 1]])
        value = tf.gather(values, tf.maximum(last, 0), batch_dims=1)
        appended[name] = tf.where(last >= 0, value, default)[:, tf.newaxis]
    nothing = {name: tf.zeros([tf.shape(newest)[0], 1], value.dtype) for name, value in batch.events.items()}
    moved = {name: value + shift[name] if name in shift else value for name, value in batch.events.items()}
    return {name: tf.concat([value, appended.get(name, nothing[name])], axis=1) for name, value in moved.items()}


def _profile(batch: RawBatch, typical: Typical, gap: tf.Tensor, newest_days: tf.Tensor) -> tuple[Tensors, tf.Tensor]:
    same = batch.rows & (batch.interests[INTEREST_CATEGORY] == typical.category[:, tf.newaxis])
    is_new = ~tf.reduce_any(same, axis=1, keepdims=True) & (typical.category != "")[:, tf.newaxis]
    touched = tf.cast(tf.concat([same, is_new], axis=1), tf.float32)
    padding = [[0, 0], [0, 1]]
    older = {name: tf.pad(value, padding) for name, value in batch.interests.items() if name != INTEREST_CATEGORY}
    found = {
        INTEREST_CATEGORY: tf.concat([batch.interests[INTEREST_CATEGORY], typical.category[:, tf.newaxis]], axis=1),
        INTEREST_COUNT: older[INTEREST_COUNT] + touched,
        INTEREST_RECENCY: tf.where(touched > 0, newest_days, older[INTEREST_RECENCY] + gap),
    }
    for name, half_life in zip(INTEREST_DECAYED, DECAY_HALF_LIFE_DAYS, strict=True):
        found[name] = older[name] * 0.5 ** (gap / half_life) + touched * 0.5 ** (newest_days / half_life)
    return found, tf.concat([batch.rows, is_new], axis=1)
