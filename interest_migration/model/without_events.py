"""Examples as they would be had some events not happened: history, interest profile and aggregates.

What the example builder would make of the remaining log, as far as the example tells: exact where the history holds all
events of the user and quantities are 1. Otherwise gaps and recencies beyond the oldest event listed stay as they are.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import tensorflow as tf

from interest_migration.model.raw_batch import RawBatch, Tensors
from interest_migration.model.visits_without import visits_without
from schemas.features import (
    DECAY_HALF_LIFE_DAYS,
    EVENT_ACTION,
    EVENT_AGE,
    EVENT_CATEGORY,
    EVENT_PRICE,
    GAP_DEVIATION,
    GAP_LAST,
    GAP_MEAN,
    INTEREST_CATEGORY,
    INTEREST_COUNT,
    INTEREST_DECAYED,
    INTEREST_RECENCY,
    LIFETIME_EVENTS,
    LIFETIME_SPEND,
    LIFETIME_STEPS,
    RECENCY,
    TENURE,
    WINDOW_CATEGORIES,
    WINDOW_DAYS,
    WINDOW_EVENTS,
    WINDOW_SPEND,
    WINDOW_STEPS,
)

_DAY_SECONDS: Final = 86_400
_FAR: Final = 1e9  # days


class _Steps(NamedTuple):
    """Steps of B examples, S = E slots, newest first.

    Attributes:
      member: `[B, E, S]` float32, 1 where an event belongs to a step.
      age: `[B, S]` days; `_FAR` for an empty slot.
    """

    member: tf.Tensor
    age: tf.Tensor


def touches(batch: RawBatch, interest_actions: Sequence[str]) -> tf.Tensor:
    """Returns `[B, K, E]` bool: which events touch the category of which row of the profile."""
    action = batch.events[EVENT_ACTION][..., tf.newaxis] == tf.constant(list(interest_actions))
    touching = batch.kept & tf.reduce_any(action, axis=-1) & (batch.events[EVENT_CATEGORY] != "")
    same = batch.interests[INTEREST_CATEGORY][:, :, tf.newaxis] == batch.events[EVENT_CATEGORY][:, tf.newaxis]
    return same & touching[:, tf.newaxis] & batch.rows[:, :, tf.newaxis]


def without(batch: RawBatch, gone: tf.Tensor, forgotten: tf.Tensor, touched: tf.Tensor, visits: tf.Tensor) -> RawBatch:
    """Takes events out of B examples, in V ways each.

    Args:
      batch: B examples.
      gone: `[B, V, E]` bool, the events taken out.
      forgotten: `[B, V, K]` bool, rows of the profile taken out whatever else they hold.
      touched: What `touches` returned.
      visits: What `visiting` returned.

    Returns:
      `[B, V]` variants.

    Example:
      purchases of tea 9 and 2 days ago, the newer one gone -> recency 9 days, tea counts 1 and has recency 9 days.
    """
    gone &= batch.kept[:, tf.newaxis]
    variants = tf.shape(gone)[1]
    interests, rows = _profile(batch, gone, forgotten, touched)
    return RawBatch(
        events={name: _spread(value, variants) for name, value in batch.events.items()},
        kept=batch.kept[:, tf.newaxis] & ~gone,
        interests=interests,
        rows=rows,
        numbers=_numbers(batch, gone, rows, interests, visits),
    )


def _profile(batch: RawBatch, gone: tf.Tensor, forgotten: tf.Tensor, touched: tf.Tensor) -> tuple[Tensors, tf.Tensor]:
    marks, membership = tf.cast(gone, tf.float32), tf.cast(touched, tf.float32)
    days = tf.cast(batch.events[EVENT_AGE], tf.float32) / _DAY_SECONDS
    interests = {name: value[:, tf.newaxis] for name, value in batch.interests.items()}
    fewer = tf.matmul(marks, membership, transpose_b=True)
    changed = fewer > 0.5
    count = interests[INTEREST_COUNT] - fewer
    left = touched[:, tf.newaxis] & ~gone[:, :, tf.newaxis]
    newest = tf.reduce_min(tf.where(left, days[:, tf.newaxis, tf.newaxis], _FAR), axis=-1)
    oldest_listed = tf.reduce_max(tf.where(batch.kept, days, 0.0), axis=1)[:, tf.newaxis, tf.newaxis]
    recency = tf.where(newest < _FAR, newest, tf.maximum(interests[INTEREST_RECENCY], oldest_listed))
    found = {
        INTEREST_CATEGORY: _spread(batch.interests[INTEREST_CATEGORY], tf.shape(gone)[1]),
        INTEREST_COUNT: count,
        INTEREST_RECENCY: tf.where(changed, recency, interests[INTEREST_RECENCY]),
    }
    for name, half_life in zip(INTEREST_DECAYED, DECAY_HALF_LIFE_DAYS, strict=True):
        weight = tf.exp(days * (-tf.math.log(2.0) / half_life))[:, tf.newaxis]
        lost = tf.matmul(marks * weight, membership, transpose_b=True)
        found[name] = tf.where(changed, tf.maximum(interests[name] - lost, 0.0), interests[name])
    return found, batch.rows[:, tf.newaxis] & (count > 0.5) & ~forgotten


def _numbers(batch: RawBatch, gone: tf.Tensor, rows: tf.Tensor, interests: Tensors, visits: tf.Tensor) -> Tensors:
    steps = _steps(batch)
    before = tf.reduce_sum(steps.member, axis=1) > 0
    present = tf.matmul(tf.cast(batch.kept[:, tf.newaxis] & ~gone, tf.float32), steps.member) > 0.5
    lost_steps = tf.cast(before[:, tf.newaxis] & ~present, tf.float32)
    days = tf.cast(batch.events[EVENT_AGE], tf.float32) / _DAY_SECONDS
    marks, price = tf.cast(gone, tf.float32), batch.events[EVENT_PRICE]
    paid = tf.where((batch.events[EVENT_ACTION] == "purchase") & (price > 0), price, 0.0)
    spent = marks * paid[:, tf.newaxis]
    lost = {
        WINDOW_EVENTS: tf.matmul(marks, _inside(days)),
        WINDOW_STEPS: tf.matmul(lost_steps, _inside(steps.age)),
        WINDOW_SPEND: tf.matmul(spent, _inside(days)),
        WINDOW_CATEGORIES: _recent(batch.rows, batch.interests[INTEREST_RECENCY])[:, tf.newaxis]
        - _recent(rows, interests[INTEREST_RECENCY]),
        LIFETIME_EVENTS: tf.reduce_sum(marks, axis=-1, keepdims=True),
        LIFETIME_STEPS: tf.reduce_sum(lost_steps, axis=-1, keepdims=True),
        LIFETIME_SPEND: tf.reduce_sum(spent, axis=-1, keepdims=True),
    }
    numbers = {name: value[:, tf.newaxis] for name, value in batch.numbers.items()}
    found = {name: tf.maximum(numbers[name] - value, 0.0) for name, value in lost.items()}
    found |= _times(numbers, found[LIFETIME_STEPS], before, present, steps.age, _whole(batch))
    found |= visits_without(numbers, found[TENURE], visits, gone, steps.member, steps.age)
    changed = tf.reduce_any(gone, axis=-1, keepdims=True)
    return {name: tf.where(changed, found[name], numbers[name]) for name in numbers}


def _times(
    numbers: Tensors, count: tf.Tensor, before: tf.Tensor, present: tf.Tensor, age: tf.Tensor, whole: tf.Tensor
) -> Tensors:
    """Recency, tenure and gaps, `[B, V, 1]`, of `[B, V, S]` present steps."""
    ages = tf.sort(tf.where(present, age[:, tf.newaxis], _FAR), axis=-1)
    ages = tf.pad(ages, [[0, 0], [0, 0], [0, 2]], constant_values=_FAR)
    some, several = count > 0.5, count > 1.5
    recency = tf.where(ages[..., :1] < _FAR, ages[..., :1], numbers[RECENCY])
    oldest = tf.reduce_max(tf.where(present, age[:, tf.newaxis], 0.0), axis=-1, keepdims=True)
    tenure = tf.where(whole[:, tf.newaxis, tf.newaxis], oldest, numbers[TENURE])
    gaps = tf.maximum(numbers[LIFETIME_STEPS] - 1, 0.0)
    squares = gaps * (numbers[GAP_MEAN] ** 2 + numbers[GAP_DEVIATION] ** 2)
    listed = tf.sort(tf.where(before, age, _FAR), axis=-1)[:, tf.newaxis]
    squares += _square_gaps(ages) - _square_gaps(listed)
    left = tf.maximum(count - 1, 1.0)
    mean = (tenure - recency) / left
    deviation = tf.sqrt(tf.maximum(squares / left - mean**2, 0.0))
    last = tf.where(ages[..., 1:2] < _FAR, ages[..., 1:2] - ages[..., :1], numbers[GAP_LAST])
    return {
        RECENCY: tf.where(some, recency, 0.0),
        TENURE: tf.where(some, tenure, 0.0),
        GAP_MEAN: tf.where(several, mean, 0.0),
        GAP_DEVIATION: tf.where(several, deviation, 0.0),
        GAP_LAST: tf.where(several, last, 0.0),
    }


def _square_gaps(ages: tf.Tensor) -> tf.Tensor:
    """`[..., 1]` sum of squared gaps between `[..., S]` ascending ages."""
    gaps = tf.where(ages[..., 1:] < _FAR, ages[..., 1:] - ages[..., :-1], 0.0)
    return tf.reduce_sum(gaps**2, axis=-1, keepdims=True)


def _steps(batch: RawBatch) -> _Steps:
    age, size = batch.events[EVENT_AGE], tf.shape(batch.kept)[1]
    starts = batch.kept & tf.not_equal(age, tf.pad(age, [[0, 0], [1, 0]], constant_values=-1)[:, :-1])
    number = tf.cumsum(tf.cast(starts, tf.int32), axis=1)
    slot = tf.where(batch.kept, tf.reduce_max(tf.pad(number, [[0, 0], [0, 1]]), axis=1, keepdims=True) - number, -1)
    member = tf.one_hot(slot, size)
    days = tf.cast(age, tf.float32) / _DAY_SECONDS
    step_age = tf.reduce_max(member * days[:, :, tf.newaxis], axis=1)
    return _Steps(member, tf.where(tf.reduce_sum(member, axis=1) > 0, step_age, _FAR))


def _whole(batch: RawBatch) -> tf.Tensor:
    """`[B]` bool: whether the history lists all events of the user."""
    listed = tf.reduce_sum(tf.cast(batch.kept, tf.float32), axis=1)
    return listed > tf.reshape(batch.numbers[LIFETIME_EVENTS], [-1]) - 0.5


def _inside(days: tf.Tensor) -> tf.Tensor:
    """`[..., W]` float32: 1 where `[...]` days lie in the window."""
    return tf.cast(days[..., tf.newaxis] <= tf.constant(WINDOW_DAYS, tf.float32), tf.float32)


def _recent(rows: tf.Tensor, recency: tf.Tensor) -> tf.Tensor:
    """`[..., W]` number of rows touched in each window."""
    return tf.reduce_sum(_inside(recency) * tf.cast(rows, tf.float32)[..., tf.newaxis], axis=-2)


def _spread(value: tf.Tensor, variants: tf.Tensor) -> tf.Tensor:
    return tf.repeat(value[:, tf.newaxis], variants, axis=1)
