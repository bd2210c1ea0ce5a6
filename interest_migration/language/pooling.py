"""From token vectors to one vector of unit length."""

from typing import Any, assert_never

import tensorflow as tf

from interest_migration.language.checkpoint import Pooling


def pooled_output(backbone: Any, token_ids: Any, attention_mask: Any, pooling: Pooling) -> Any:
    """Runs a backbone on `[B, T]` int32 token ids and mask; returns `[B, W]` vectors of any length."""
    inputs = {"token_ids": token_ids, "segment_ids": tf.zeros_like(token_ids), "padding_mask": attention_mask}
    return pool(backbone(inputs, training=False)["sequence_output"], attention_mask, pooling)


def pool(states: Any, mask: Any, pooling: Pooling) -> Any:
    """Pools the vectors of real tokens (Reimers and Gurevych 2019).

    Args:
      states: `[B, T, W]` token vectors.
      mask: `[B, T]` int32, 1 where there is a token.
      pooling: `mean` of the tokens, the first (`cls`), or the `max` of each number.

    Returns:
      `[B, W]` vectors.
    """
    real = tf.cast(mask, states.dtype)[:, :, tf.newaxis]
    match pooling:
        case "mean":
            return tf.reduce_sum(states * real, axis=1) / tf.maximum(tf.reduce_sum(real, axis=1), 1.0)
        case "cls":
            return states[:, 0]
        case "max":
            return tf.reduce_max(tf.where(real > 0, states, states.dtype.min), axis=1)
        case _:
            assert_never(pooling)


def to_unit_length(vectors: Any) -> Any:
    """Divides `[B, W]` vectors by their L2 norm; a vector of zeros stays one."""
    return tf.math.l2_normalize(vectors, axis=-1)
