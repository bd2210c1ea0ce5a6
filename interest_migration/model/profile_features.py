"""What the model computes from the interest profile and the newest step."""

from typing import Any

import tensorflow as tf

from interest_migration.model.scatter import members
from schemas.features import INTEREST_COUNT, INTEREST_DECAYED, INTEREST_IDS, INTEREST_RECENCY


def profile_numbers(inputs: dict[str, Any], current: Any) -> tf.Tensor:
    """Returns `[B, K, F]` numbers of order 1 that describe each row of the profile.

    Decayed counts enter as log(1 + x), which tells large ones apart, and as log(x + 0.01), for the small ones.
    """
    ids = inputs[INTEREST_IDS]
    inside = tf.gather(tf.pad(tf.cast(current, tf.float32), [[0, 0], [1, 1]]), ids, batch_dims=1)
    decayed = [inputs[name] for name in INTEREST_DECAYED]
    columns = [
        tf.math.log1p(inputs[INTEREST_COUNT]) / 2,
        tf.math.log1p(inputs[INTEREST_RECENCY]) / 3,
        *(tf.math.log1p(value) for value in decayed),
        *(tf.math.log(value + 0.01) / 3 for value in decayed),
        tf.exp(-inputs[INTEREST_RECENCY] / 7),
        inside,
    ]
    return tf.stack(columns, axis=-1)


def newest_categories(category_ids: Any, step_index: Any, size: int) -> tf.Tensor:
    """Marks the categories of the newest step that has any.

    Args:
      category_ids: `[B, E]` int32.
      step_index: `[B, E]` int32, negative for padding.
      size: V.

    Returns:
      `[B, V]` bool; all False without any.
    """
    return members(tf.where(in_newest_step(category_ids, step_index), category_ids, 0), size)


def in_newest_step(category_ids: Any, step_index: Any) -> tf.Tensor:
    """`[B, E]` bool: whether an event is in the newest step that has a category, and has one."""
    has_category = (step_index >= 0) & (category_ids > 0)
    far = tf.int32.max
    step = tf.where(has_category, step_index, far)
    newest = tf.reduce_min(tf.pad(step, [[0, 0], [0, 1]], constant_values=far), axis=1, keepdims=True)
    return has_category & (step_index == newest)
