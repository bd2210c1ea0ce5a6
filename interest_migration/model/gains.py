"""What single ids of an example gain over their score from the user's vector."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from interest_migration.model.scatter import sum_by_id


class Gains(NamedTuple):
    """Logits that some ids of each example gain.

    Attributes:
      ids: `[B, K]` int32, distinct, ascending, padded with 0 at the end.
      scores: `[B, K]` float32; 0 for padding.
    """

    ids: tf.Tensor
    scores: tf.Tensor

    def at(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns the `[B, M]` gains of `[B, M]` ids, 0 for others."""
        same = (ids[:, :, tf.newaxis] == self.ids[:, tf.newaxis]) & (ids > 0)[:, :, tf.newaxis]
        return tf.reduce_sum(tf.where(same, self.scores[:, tf.newaxis], 0.0), axis=2)

    def of_shown(self, shown: tf.Tensor | None) -> "Gains":
        """Returns the gains of ids that are shown as themselves; `shown` is `[V + 2]`, None shows all."""
        if shown is None:
            return self
        kept = tf.gather(shown, self.ids) == self.ids
        return Gains(tf.where(kept, self.ids, 0), tf.where(kept, self.scores, 0.0))

    def dense(self, size: int) -> tf.Tensor:
        """Returns `[B, size]`; column j stands for id j + 1."""
        return sum_by_id(self.scores, self.ids - 1, size)


def add_gains(parts: Sequence[Gains]) -> Gains:
    """Returns the sum of several gains."""
    if len(parts) == 1:
        return parts[0]
    ids, scores = (tf.concat(column, axis=1) for column in zip(*parts, strict=True))
    return Gains(*sum_distinct(ids, scores))


def sum_distinct(ids: tf.Tensor, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Sums values by id within each row.

    Args:
      ids: `[B, E]` int32; 0 is left out.
      values: `[B, E]` float32.

    Returns:
      `[B, E]` distinct ids in ascending order and their sums, both padded with 0.

    Example:
      ids [[7, 0, 3, 7]], values [[1, 9, 2, 4]] -> [[3, 7, 0, 0]], [[2, 5, 0, 0]].
    """
    order = tf.argsort(tf.where(ids > 0, ids, tf.int32.max), axis=1, stable=True)
    ids, values = tf.gather(ids, order, batch_dims=1), tf.gather(values, order, batch_dims=1)
    first = tf.not_equal(ids, tf.pad(ids, [[0, 0], [1, 0]])[:, :-1]) & (ids > 0)
    slot = tf.where(ids > 0, tf.cumsum(tf.cast(first, tf.int32), axis=1) - 1, -1)
    length = tf.shape(ids)[1]
    return sum_by_id(tf.where(first, ids, 0), slot, length), sum_by_id(values, slot, length)
