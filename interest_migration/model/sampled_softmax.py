"""Softmax cross entropy over many ids, estimated from a sample of them (Jean et al. 2015, ACL)."""

from typing import NamedTuple

import tensorflow as tf

from interest_migration.model.losses import at_positions, set_losses
from interest_migration.model.scatter import sum_by_id
from interest_migration.model.targets import Targets


class OwnCandidates(NamedTuple):
    """Candidates at the cut that are always there, for each example its own.

    Attributes:
      ids: `[B, K]` int32, distinct; ids outside 1..V are none.
      logits: `[B, K]` float32.
    """

    ids: tf.Tensor
    logits: tf.Tensor


def draw_log_uniform(count: int, size: int, seed: tf.Tensor) -> tf.Tensor:
    """Draws ids with probability log((id + 1) / id) / log(V + 1): frequent (small) ids more often.

    Args:
      count: Number of draws n.
      size: V.
      seed: `[2]` int32.

    Returns:
      `[n]` int32 ids from 1 to V, with replacement.
    """
    uniform = tf.random.stateless_uniform([count], seed)
    ids = tf.cast(tf.floor(tf.exp(uniform * tf.math.log(size + 1.0))), tf.int32)
    return tf.clip_by_value(ids, 1, size)


def log_inclusion(ids: tf.Tensor, count: int, size: int) -> tf.Tensor:
    """Returns log(1 - (1 - p) ** n), the logarithm of the chance that n log-uniform draws hold an id from 1 on."""
    numbers = tf.cast(tf.maximum(ids, 1), tf.float32)
    share = tf.math.log1p(1 / numbers) / tf.math.log(size + 1.0)
    return tf.math.log(-tf.math.expm1(count * tf.math.log1p(-share)))


def sampled_softmax_losses(
    sample_logits: tf.Tensor,
    sample_ids: tf.Tensor,
    target_logits: tf.Tensor,
    targets: Targets,
    size: int,
    own: OwnCandidates,
) -> tuple[tf.Tensor, tf.Tensor]:
    """`set_losses` with a target, the sampled ids and, at the cut, own candidates; corrected for how likely each is.

    A candidate that is a target of the position is no negative there, and an id counts once.

    Args:
      sample_logits: `[B, L, n]`.
      sample_ids: `[n]` int32.
      target_logits: `[B, M]`.
      targets: The targets.
      size: V.
      own: Candidates at the cut besides the sampled ones.
    """
    count = sample_ids.shape[0]
    corrected = sample_logits - log_inclusion(sample_ids, count, size)
    blocked = _repeated(sample_ids, size) | _drawn_targets(sample_ids, targets, tf.shape(sample_logits)[1], size)
    at_cut = tf.reduce_logsumexp(_negatives_at_cut(corrected[:, 0], blocked[:, 0], sample_ids, targets, size, own), 1)
    before = tf.reduce_logsumexp(tf.where(blocked[:, 1:], -1e9, corrected[:, 1:]), axis=-1)
    negatives = tf.concat([at_cut[:, tf.newaxis], before], axis=1)
    certain = (targets.position == 0) & _found(targets.ids, own.ids)
    logits = target_logits - tf.where(certain, 0.0, log_inclusion(targets.ids, count, size))
    both = tf.stack([at_positions(negatives, targets), logits])
    return set_losses(logits, tf.reduce_logsumexp(both, axis=0), targets)


def _negatives_at_cut(
    sampled: tf.Tensor, blocked: tf.Tensor, sample_ids: tf.Tensor, targets: Targets, size: int, own: OwnCandidates
) -> tf.Tensor:
    """`[B, n + K]` logits; -1e9 for what is a target, or both sampled and an own candidate."""
    inside = (own.ids >= 1) & (own.ids <= size)
    slots = tf.where(inside, tf.gather(_slots(sample_ids, size), tf.where(inside, own.ids, 0)), -1)
    twice = sum_by_id(tf.ones_like(slots, tf.float32), slots, sample_ids.shape[0]) > 0
    wanted = tf.where(targets.position == 0, targets.ids, 0)
    own_blocked = ~inside | _found(own.ids, wanted)
    return tf.concat([tf.where(blocked | twice, -1e9, sampled), tf.where(own_blocked, -1e9, own.logits)], axis=1)


def _found(ids: tf.Tensor, among: tf.Tensor) -> tf.Tensor:
    """`[B, M]` bool: whether an id of `[B, M]` is in the same row of `[B, K]`."""
    return tf.reduce_any(ids[:, :, tf.newaxis] == among[:, tf.newaxis], axis=2)


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
