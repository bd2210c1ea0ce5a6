"""Losses as pure functions. Each is finite, and 0 where nothing is known."""

import tensorflow as tf

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


def candidate_loss(logits: tf.Tensor, positives: tf.Tensor, candidates: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Returns the weighted mean cross entropy over candidates.

    The weight of an example is divided by the number of its positives, which so all count alike in ranking measures by
    user; an example without any does not count.

    Args:
      logits: `[B, V]`.
      positives: `[B, V]` bool; of these, candidates count.
      candidates: `[B, V]` bool.
      weights: `[B]` float32.
    """
    targets = tf.cast(positives & candidates, tf.float32)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
    shares = tf.math.divide_no_nan(weights, tf.reduce_sum(targets, axis=1))
    return masked_mean(losses, tf.cast(candidates, tf.float32) * shares[:, tf.newaxis])


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
    return set_losses(_at_ids(logits, targets), at_positions(normalizer, targets), targets)


def _at_ids(logits: tf.Tensor, targets: Targets) -> tf.Tensor:
    positions, size = tf.shape(logits)[1], tf.shape(logits)[2]
    index = tf.minimum(targets.position, positions - 1) * size + tf.maximum(targets.ids - 1, 0)
    return tf.gather(tf.reshape(logits, [tf.shape(logits)[0], -1]), index, batch_dims=1)


def at_positions(values: tf.Tensor, targets: Targets) -> tf.Tensor:
    """Returns `[B, M]`, of `[B, L]` values per position that of each target."""
    return tf.gather(values, tf.minimum(targets.position, tf.shape(values)[1] - 1), batch_dims=1)


def log_sum_exp(logits: tf.Tensor) -> tf.Tensor:
    """Returns `[P]`, the logarithm of the sum of exponentials of `[P, V]` float32 logits.

    The cross entropy of any class plus its logit: one fused operation forwards and backwards, where `reduce_logsumexp`
    passes over the logits several times.
    """
    first = tf.zeros(tf.shape(logits)[:1], tf.int32)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=first, logits=logits) + logits[:, 0]
