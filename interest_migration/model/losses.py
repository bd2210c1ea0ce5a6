"""Losses as pure functions. Each is finite, and 0 where nothing is known."""

import tensorflow as tf

from interest_migration.model.scatter import sum_by_id
from interest_migration.model.targets import Targets


def masked_mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Returns the weighted mean, 0 if all weights are 0.

    Args:
      values: Float32 of any shape.
      weights: Float32 of the same shape.

    Example:
      values [2, 4], weights [1, 0] -> 2.
    """
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))


def binary_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Returns the mean cross entropy of labels 0 and 1; other labels (unknown) do not count.

    Args:
      logits: `[B]`.
      labels: `[B]` int32.
    """
    known = tf.cast((labels == 0) | (labels == 1), tf.float32)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels == 1, tf.float32), logits)
    return masked_mean(losses, known)


def propensity_loss(logits: tf.Tensor, positives: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    """Returns the mean cross entropy over categories of the examples whose horizon is observed.

    Args:
      logits: `[B, V]`.
      positives: `[B, V]` bool.
      observed: `[B]` int32, 1 if the horizon is observed.
    """
    losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(positives, tf.float32), logits)
    return masked_mean(tf.reduce_mean(losses, axis=1), tf.cast(observed == 1, tf.float32))


def set_losses(target_logits: tf.Tensor, log_normalizer: tf.Tensor, targets: Targets) -> tuple[tf.Tensor, tf.Tensor]:
    """Softmax cross entropy against the uniform distribution over a position's targets.

    Args:
      target_logits: `[B, M]` logit of each target.
      log_normalizer: `[B, M]` logarithm of the sum over candidates, for each target.
      targets: The targets.

    Returns:
      Mean over the newest position (the cut), and mean over all positions before it.

    Example:
      Two targets with logits 0 among four candidates with logits 0: each log(4), the position log(4).
    """
    losses = (log_normalizer - target_logits) * targets.weight
    at_cut = tf.cast(targets.position == 0, tf.float32)
    cut_positions = tf.reduce_sum(targets.weight * at_cut)
    other_positions = tf.reduce_sum(targets.weight * (1 - at_cut))
    return (
        tf.math.divide_no_nan(tf.reduce_sum(losses * at_cut), cut_positions),
        tf.math.divide_no_nan(tf.reduce_sum(losses * (1 - at_cut)), other_positions),
    )


def full_softmax_losses(logits: tf.Tensor, targets: Targets) -> tuple[tf.Tensor, tf.Tensor]:
    """`set_losses` with every id a candidate.

    Args:
      logits: `[B, L, V]`, positions back from the newest; column j stands for id j + 1.
      targets: The targets.
    """
    normalizer = tf.reduce_logsumexp(logits, axis=-1)
    return set_losses(_at_ids(logits, targets), _at_positions(normalizer, targets), targets)


def _at_ids(logits: tf.Tensor, targets: Targets) -> tf.Tensor:
    positions, size = tf.shape(logits)[1], tf.shape(logits)[2]
    index = tf.minimum(targets.position, positions - 1) * size + tf.maximum(targets.ids - 1, 0)
    return tf.gather(tf.reshape(logits, [tf.shape(logits)[0], -1]), index, batch_dims=1)


def _at_positions(values: tf.Tensor, targets: Targets) -> tf.Tensor:
    return tf.gather(values, tf.minimum(targets.position, tf.shape(values)[1] - 1), batch_dims=1)


def draw_log_uniform(count: int, size: int, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws ids with probability log((id + 1) / id) / log(V + 1): frequent (small) ids more often.

    Args:
      count: Number of draws n.
      size: V.
      seed: `[2]` int32.

    Returns:
      `[n]` int32 ids from 1 to V, with replacement, and the `[n]` logarithm of each id's chance to be among the draws.
    """
    uniform = tf.random.stateless_uniform([count], seed)
    ids = tf.cast(tf.floor(tf.exp(uniform * tf.math.log(size + 1.0))), tf.int32)
    ids = tf.clip_by_value(ids, 1, size)
    return ids, log_inclusion(ids, count, size)


def log_inclusion(ids: tf.Tensor, count: int, size: int) -> tf.Tensor:
    """Returns log(1 - (1 - p) ** n), the logarithm of the chance that n log-uniform draws hold an id from 1 on."""
    numbers = tf.cast(tf.maximum(ids, 1), tf.float32)
    share = tf.math.log1p(1 / numbers) / tf.math.log(size + 1.0)
    return tf.math.log(-tf.math.expm1(count * tf.math.log1p(-share)))


def sampled_softmax_losses(
    sample_logits: tf.Tensor, sample_ids: tf.Tensor, target_logits: tf.Tensor, targets: Targets, size: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """`set_losses` with a target and the sampled ids as candidates, corrected for how likely each was drawn.

    A sampled id that is a target of the position is no negative there, and a repeated draw counts once.

    Args:
      sample_logits: `[B, L, n]`.
      sample_ids: `[n]` int32.
      target_logits: `[B, M]`.
      targets: The targets.
      size: V.
    """
    count = sample_ids.shape[0]
    corrected = sample_logits - log_inclusion(sample_ids, count, size)
    blocked = _repeated(sample_ids, size) | _drawn_targets(sample_ids, targets, tf.shape(sample_logits)[1], size)
    negatives = tf.reduce_logsumexp(tf.where(blocked, -1e9, corrected), axis=-1)
    logits = target_logits - log_inclusion(targets.ids, count, size)
    both = tf.stack([_at_positions(negatives, targets), logits])
    return set_losses(logits, tf.reduce_logsumexp(both, axis=0), targets)


def _slots(sample_ids: tf.Tensor, size: int) -> tf.Tensor:
    """`[V + 1]`: where each id was drawn (the last time), -1 if it was not."""
    count = sample_ids.shape[0]
    return tf.maximum(tf.math.unsorted_segment_max(tf.range(count), sample_ids, size + 1), -1)


def _repeated(sample_ids: tf.Tensor, size: int) -> tf.Tensor:
    return tf.gather(_slots(sample_ids, size), sample_ids) != tf.range(sample_ids.shape[0])


def _drawn_targets(sample_ids: tf.Tensor, targets: Targets, positions: tf.Tensor, size: int) -> tf.Tensor:
    """`[B, L, n]` bool: whether a drawn id is a target of the position."""
    count = sample_ids.shape[0]
    slot = tf.where(targets.ids > 0, tf.gather(_slots(sample_ids, size), targets.ids), -1)
    index = tf.where((slot >= 0) & (targets.position < positions), targets.position * count + slot, -1)
    marks = sum_by_id(tf.ones_like(index, tf.float32), index, positions * count)
    return tf.reshape(marks > 0, [tf.shape(index)[0], positions, count])
