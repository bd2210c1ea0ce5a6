"""Altered views of histories: events hidden, old steps cut off, rows of the profile left out."""

from typing import Any

import tensorflow as tf

from schemas.features import (
    BRAND_IDS,
    CATEGORY_IDS,
    CHILD_IDS,
    INTEREST_COUNT,
    INTEREST_DECAYED,
    INTEREST_IDS,
    INTEREST_RECENCY,
    ITEM_IDS,
    PARENT_IDS,
    PRICE_BUCKETS,
    STEP_INDEX,
)

Batch = dict[str, Any]

_HIDDEN = (ITEM_IDS, CATEGORY_IDS, PARENT_IDS, CHILD_IDS, BRAND_IDS, PRICE_BUCKETS)
_PROFILE = (INTEREST_IDS, INTEREST_COUNT, INTEREST_RECENCY, *INTEREST_DECAYED)


def hide_events(batch: Batch, share: float, seed: Any) -> tuple[Batch, tf.Tensor]:
    """Sets what a random share of the events were about to 0, "none"; when they were and what was done stays.

    Args:
      batch: Padded inputs.
      share: Chance of an event to be hidden.
      seed: `[2]` int32.

    Returns:
      The batch, and `[B, E]` bool, which events are hidden (no padding among them).
    """
    index = batch[STEP_INDEX]
    hidden = (tf.random.stateless_uniform(tf.shape(index), seed) < share) & (index >= 0)
    return batch | {name: tf.where(hidden, 0, batch[name]) for name in _HIDDEN}, hidden


def crop_history(batch: Batch, least_share: float, seed: Any) -> Batch:
    """Removes a random number of the oldest steps of each history.

    Args:
      batch: Padded inputs.
      least_share: Share of the steps that stay at least; the newest step always does.
      seed: `[2]` int32.

    Example:
      step_index [3, 2, 1, 0], half of the steps stay -> [-1, -1, 1, 0].
    """
    index = batch[STEP_INDEX]
    steps = tf.cast(tf.reduce_max(tf.pad(index, [[0, 0], [0, 1]], constant_values=-1), 1, True) + 1, tf.float32)
    share = tf.random.stateless_uniform([tf.shape(index)[0], 1], seed, minval=least_share, maxval=1.0)
    removed = tf.cast(index, tf.float32) >= tf.maximum(tf.math.ceil(steps * share), 1)
    return batch | {
        STEP_INDEX: tf.where(removed, -1, index),
        **{name: tf.where(removed, 0, batch[name]) for name in _HIDDEN},
    }


def thin_profile(batch: Batch, share: float, seed: Any) -> Batch:
    """Leaves out a random share of the rows of each profile."""
    out = tf.random.stateless_uniform(tf.shape(batch[INTEREST_IDS]), seed) < share
    return batch | {name: tf.where(out, tf.zeros_like(batch[name]), batch[name]) for name in _PROFILE}
