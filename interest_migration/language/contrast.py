"""The contrastive objective of tuning: which text follows which."""

from typing import Any

import tensorflow as tf

from interest_migration.language.pooling import to_unit_length


def follower_losses(
    anchors: Any, candidates: Any, positives: Any, allowed: Any, inclusion: Any, temperature: float
) -> Any:
    """Softmax cross-entropy of each anchor's follower among the followers of the whole batch.

    This is InfoNCE (van den Oord et al. 2018) with in-batch negatives. Popular followers are negatives more often than
    others; subtracting the logarithm of how likely a batch holds them removes that bias (Bengio and Senécal 2008; Yi et
    al. 2019).

    Args:
      anchors: `[B, W]` vectors; their length does not count.
      candidates: `[C, W]` vectors of the different followers in the batch.
      positives: `[B]` int32 row of each anchor's follower in `candidates`.
      allowed: `[B, C]` bool, false where a candidate does not count, such as the anchor itself.
      inclusion: `[C]` float32 probability that a batch holds the candidate, in (0, 1]; ones leave the bias in.
      temperature: Cosines are divided by it.

    Returns:
      `[B]` float32 losses.

    Example:
      one anchor (1, 0), candidates (1, 0) and (0, 1), positive 0, inclusion 1, temperature 1 -> log(1 + 1 / e) = .313.
    """
    cosines = tf.matmul(to_unit_length(anchors), to_unit_length(candidates), transpose_b=True)
    logits = cosines / temperature - tf.math.log(inclusion)
    logits = tf.where(allowed, logits, logits.dtype.min)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=positives, logits=logits)
