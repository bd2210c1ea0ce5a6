"""Ranking measures of single examples, in the graph.

Example with four candidates, scores [.1, .7, .4, .2] and the third one positive: it is ranked second, so hit@1 is 0,
hit@5 1, the reciprocal rank 1/2, NDCG 1 / log2(3) = .63; it beats two of three negatives, so the user AUC is 2/3.
"""

import tensorflow as tf


def hit_at(scores: tf.Tensor, positives: tf.Tensor, k: int) -> tf.Tensor:
    """Returns 1 where a positive is among the k highest scores, else 0.

    Args:
      scores: `[B, V]` float32.
      positives: `[B, V]` bool.
      k: Length of the list.

    Returns:
      `[B]` float32.
    """
    return tf.reduce_max(_top_gains(scores, positives, k), axis=1)


def ndcg_at(scores: tf.Tensor, positives: tf.Tensor, k: int) -> tf.Tensor:
    """Returns the normalised discounted cumulative gain of the k highest scores with gain 1 for positives.

    Args:
      scores: `[B, V]` float32.
      positives: `[B, V]` bool.
      k: Length of the list.

    Returns:
      `[B]` float32, 0 without positives.
    """
    gains = _top_gains(scores, positives, k)
    length = gains.shape[1]
    discounts = tf.math.log(2.0) / tf.math.log(tf.range(length, dtype=tf.float32) + 2.0)
    best = tf.concat([[0.0], tf.cumsum(discounts)], axis=0)
    count = tf.reduce_sum(tf.cast(positives, tf.int32), axis=1)
    ideal = tf.gather(best, tf.minimum(count, length))
    return tf.math.divide_no_nan(tf.reduce_sum(gains * discounts, axis=1), ideal)


def _top_gains(scores: tf.Tensor, positives: tf.Tensor, k: int) -> tf.Tensor:
    found = tf.math.top_k(scores, min(k, scores.shape[1])).indices
    return tf.gather(tf.cast(positives, tf.float32), found, batch_dims=1)


def reciprocal_rank(scores: tf.Tensor, positives: tf.Tensor) -> tf.Tensor:
    """Returns 1 over the rank of the first positive; among equal scores the lower column comes first.

    Args:
      scores: `[B, V]` float32.
      positives: `[B, V]` bool.

    Returns:
      `[B]` float32, 0 without positives.
    """
    best = tf.reduce_max(tf.where(positives, scores, scores.dtype.min), axis=1, keepdims=True)
    columns = tf.range(tf.shape(scores)[1])
    first = tf.reduce_min(tf.where(positives & (scores == best), columns, tf.int32.max), axis=1, keepdims=True)
    ahead = (scores > best) | ((scores == best) & (columns < first))
    rank = 1 + tf.reduce_sum(tf.cast(ahead, tf.float32), axis=1)
    return tf.where(tf.reduce_any(positives, axis=1), 1 / rank, tf.zeros_like(rank))


def user_auc(scores: tf.Tensor, positives: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    """Returns the share of (positive, negative) pairs in which the positive scores higher; equal scores count half.

    Args:
      scores: `[B, V]` finite float32.
      positives: `[B, V]` bool.
      candidates: `[B, V]` bool; other columns are neither positive nor negative.

    Returns:
      `[B]` float32, 0 without a positive or a negative.
    """
    positives &= candidates
    masked = tf.where(candidates, scores, scores.dtype.max)
    ordered = tf.sort(masked, axis=1)
    below = tf.searchsorted(ordered, masked, side="left")
    up_to = tf.searchsorted(ordered, masked, side="right")
    middle_rank = tf.cast(below + up_to + 1, tf.float32) / 2
    count = tf.reduce_sum(tf.cast(positives, tf.float32), axis=1)
    negatives = tf.reduce_sum(tf.cast(candidates, tf.float32), axis=1) - count
    above = tf.reduce_sum(middle_rank * tf.cast(positives, tf.float32), axis=1) - count * (count + 1) / 2
    return tf.math.divide_no_nan(above, count * negatives)


def has_both(positives: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    """Returns `[B]` bool: whether a row has a positive and a negative among its candidates."""
    return tf.reduce_any(positives & candidates, axis=1) & tf.reduce_any(candidates & ~positives, axis=1)
