"""Reads which items a user may come back to."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from interest_migration.model.scatter import sum_by_id
from interest_migration.transform.buckets import TIME_BUCKETS
from schemas.events import ACTIONS
from schemas.features import ACTION_IDS, AGE_BUCKETS, ITEM_IDS


class Repeats(NamedTuple):
    """The distinct items of each history.

    Attributes:
      ids: `[B, E]` int32, ascending, padded with 0 at the end.
      scores: `[B, E]` float32 logits that the items gain; 0 for padding.
    """

    ids: tf.Tensor
    scores: tf.Tensor

    def at(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns the `[B, M]` scores of `[B, M]` item ids, 0 for others than the history's."""
        same = (ids[:, :, tf.newaxis] == self.ids[:, tf.newaxis]) & (ids > 0)[:, :, tf.newaxis]
        return tf.reduce_sum(tf.where(same, self.scores[:, tf.newaxis], 0.0), axis=2)


@keras.saving.register_keras_serializable("interest_migration")
class RepeatEncoder(keras.layers.Layer):
    """`appetite(user) * log(1 + sum of weight(age, action) over the events of the item)`.

    A copy mechanism (Gu et al. 2016, ACL; for baskets, Ren et al. 2019, AAAI) whose weights learn how fast a purchase
    wears off: with equal weights it ranks by frequency, with steep ones by recency.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ages = keras.layers.Embedding(TIME_BUCKETS, 1, "zeros", name="ages")
        self.actions = keras.layers.Embedding(len(ACTIONS) + 1, 1, "zeros", name="actions")
        self.appetite = keras.layers.Dense(1, activation="softplus", name="appetite")

    def call(self, inputs: dict[str, Any], user: Any) -> Repeats:
        """Scores the items of histories.

        Args:
          inputs: Feature name -> `[B, E]` int32.
          user: `[B, U]`.
        """
        weights = tf.exp(self.ages(inputs[AGE_BUCKETS]) + self.actions(inputs[ACTION_IDS]))[..., 0]
        ids, sums = sum_distinct(inputs[ITEM_IDS], tf.cast(weights, tf.float32))
        return Repeats(ids, tf.cast(self.appetite(user), tf.float32) * tf.math.log1p(sums))


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
