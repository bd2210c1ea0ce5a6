"""Numbers that describe every pair of a user and a category, touched or not."""

from typing import Any, Final

import tensorflow as tf

from interest_migration.model.scatter import sum_by_id
from schemas.features import INTEREST_COUNT, INTEREST_DECAYED, INTEREST_IDS, INTEREST_RECENCY

COUNTS: Final = (INTEREST_COUNT, *INTEREST_DECAYED)
"""The counts of the interest profile, of the whole past and decayed."""
SHARE_PRIOR: Final = 50.0
"""Touches that a category's usual share counts for, beside the user's own."""


def touch_counts(inputs: dict[str, Any], size: int) -> tf.Tensor:
    """Returns `[B, V, len(COUNTS)]` counts of the first `size` categories, 0 for those outside the profile."""
    return sum_by_id(tf.stack([inputs[name] for name in COUNTS], axis=-1), inputs[INTEREST_IDS] - 1, size)


def pair_numbers(inputs: dict[str, Any], usual: tf.Tensor, co_interest: tf.Tensor) -> tf.Tensor:
    """Describes pairs by counts, recency, shares and co-interest, in numbers of order 1.

    A share is what part of the user's touches the category has, drawn towards its usual share (the mean of a Dirichlet
    posterior); its logarithm is taken relative to the usual one. Co-interest is how much of the category the user's
    other categories let expect, see `training.co_interest`.

    Args:
      inputs: Feature name -> `[B, K]`, the interest profile.
      usual: `[V, len(COUNTS)]` mean counts of the training examples.
      co_interest: `[V, V]` weights, diagonal 0.

    Returns:
      `[B, V, F]`.

    Example:
      A user without a past: counts, recency, co-interest 0, and shares as usual, so their logarithms 0.
    """
    size = co_interest.shape[0]
    days = inputs[INTEREST_RECENCY]
    columns = [*(inputs[name] for name in COUNTS), tf.exp(-days / 28.0), tf.math.log1p(days)]
    sums = sum_by_id(tf.stack(columns, axis=-1), inputs[INTEREST_IDS] - 1, size)
    counts, fresh, recency = sums[..., : len(COUNTS)], sums[..., -2], sums[..., -1]
    logs = tf.math.log1p(counts)
    usual_share = (usual + 1e-4) / tf.reduce_sum(usual + 1e-4, axis=0)
    totals = tf.reduce_sum(counts, axis=1, keepdims=True)
    shares = tf.math.log((counts / usual_share + SHARE_PRIOR) / (totals + SHARE_PRIOR))
    expected = tf.nn.relu(tf.matmul(logs[..., 0], co_interest))
    surplus = tf.math.log((expected + 0.02) / (tf.math.log1p(usual[:, 0]) + 0.02))
    rest = tf.stack([tf.cast(counts[..., 0] > 0, tf.float32), fresh, recency / 3, expected, surplus], axis=-1)
    popularity = tf.broadcast_to(tf.math.log(usual_share[:, :1] * size) / 3, [*tf.unstack(tf.shape(logs))[:2], 1])
    return tf.concat([logs, shares / 2, rest, popularity], axis=-1)
