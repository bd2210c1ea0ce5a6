"""The objectives that only pretraining has, as pure functions."""

import tensorflow as tf

from interest_migration.model.losses import masked_mean

_NEVER = -1e9


def contrastive_loss(first: tf.Tensor, second: tf.Tensor, users: tf.Tensor, temperature: float) -> tf.Tensor:
    """Returns the InfoNCE loss of two views of each example, both ways (CL4SRec: Xie et al. 2022, ICDE).

    The rivals of a view are the other views of the batch of other users; a user's other examples are no rivals.

    Args:
      first: `[B, P]` projected vectors.
      second: `[B, P]`, of the other views.
      users: `[B]` int32, equal for examples of one user.
      temperature: Divides the cosines.

    Example:
      Two users whose views all agree: the logarithm of 2.
    """
    first, second = tf.math.l2_normalize(first, axis=1), tf.math.l2_normalize(second, axis=1)
    logits = tf.matmul(first, second, transpose_b=True) / temperature
    same_user = users[:, tf.newaxis] == users[tf.newaxis]
    own = tf.eye(tf.shape(users)[0], dtype=tf.bool)
    logits = tf.where(same_user & ~own, _NEVER, logits)
    target = tf.linalg.diag_part(logits)
    normalizers = tf.reduce_logsumexp(logits, axis=1) + tf.reduce_logsumexp(logits, axis=0)
    return tf.reduce_mean(normalizers / 2 - target)


def masked_category_loss(logits: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Returns the mean cross entropy of hidden categories.

    Args:
      logits: `[M, V]`; column j stands for id j + 1.
      ids: `[M]` int32; ids outside 1..V do not count.
    """
    known = (ids >= 1) & (ids <= tf.shape(logits)[1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(known, ids - 1, 0), logits)
    return masked_mean(losses, tf.cast(known, tf.float32))


def masked_item_loss(logits: tf.Tensor, ids: tf.Tensor, size: int) -> tf.Tensor:
    """Returns the mean cross entropy of hidden items among the other hidden items of the batch.

    Args:
      logits: `[M, M]`, of place i for the item of place j.
      ids: `[M]` int32; ids outside 1..`size` neither count nor are rivals.
      size: V.
    """
    known = (ids >= 1) & (ids <= size)
    own = tf.eye(tf.shape(ids)[0], dtype=tf.bool)
    rivals = (ids[:, tf.newaxis] != ids[tf.newaxis]) & known[tf.newaxis]
    logits = tf.where(rivals | own, logits, _NEVER)
    losses = tf.reduce_logsumexp(logits, axis=1) - tf.linalg.diag_part(logits)
    return masked_mean(losses, tf.cast(known, tf.float32))
