"""Boosted trees over the aggregates, inside the exported model: a second opinion on churn.

Nodes and leaves of a tree of depth 2, in level order; an aggregate above a node's threshold goes right:

    node 0 -- left --> node 1 -- left --> leaf 0, right --> leaf 1
           -- right -> node 2 -- left --> leaf 2, right --> leaf 3
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

DEPTH: Final = 4


@dataclass(frozen=True)
class Trees:
    """T complete trees of DEPTH levels in level order; a score is `base` plus one leaf of every tree.

    Attributes:
      column: `[T, 2 ** DEPTH - 1]` int32, the aggregate that a node looks at.
      threshold: `[T, 2 ** DEPTH - 1]` float32.
      leaf: `[T, 2 ** DEPTH]` float32.
      base: Score before any tree.
    """

    column: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float32]
    leaf: npt.NDArray[np.float32]
    base: float


@keras.saving.register_keras_serializable("interest_migration")
class ChurnTrees(keras.layers.Layer):
    """Scores users by trees that `assign` fills in, and blends their scores with the network's.

    Nothing of it is trained with the model.

    Args:
      answers: H, number of outputs.
      trees: T, number of trees of each.
    """

    def __init__(self, answers: int, trees: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # thresholds and logits stay as precise as they are
        self.answers, self.trees = answers, trees

    def build(self, *_: Any) -> None:
        """Makes the weights: trees that score 0, and their shares of the blend, 0."""
        self.column, self.threshold, self.leaf, self.base, self.share = (
            self.add_weight(name=name, shape=shape, dtype=dtype, initializer="zeros", trainable=False, autocast=False)
            for name, shape, dtype in (
                ("column", [self.answers * self.trees, 2**DEPTH - 1], "int32"),
                ("threshold", [self.answers * self.trees, 2**DEPTH - 1], "float32"),
                ("leaf", [self.answers * self.trees, 2**DEPTH], "float32"),
                ("base", [self.answers], "float32"),
                ("share", [self.answers], "float32"),
            )
        )
        self.built = True

    def call(self, aggregates: Any) -> Any:
        """Returns the trees' `[B, H]` float32 logits of `[B, A]` aggregates."""
        first = tf.range(self.answers * self.trees)
        column, threshold = tf.reshape(self.column, [-1]), tf.reshape(self.threshold, [-1])
        place = tf.zeros([tf.shape(aggregates)[0], 1], tf.int32)
        for level in range(DEPTH):
            node = first * (2**DEPTH - 1) + 2**level - 1 + place
            values = tf.gather(aggregates, tf.gather(column, node), batch_dims=1)
            place = 2 * place + tf.cast(values > tf.gather(threshold, node), tf.int32)
        leaves = tf.gather(tf.reshape(self.leaf, [-1]), first * 2**DEPTH + place)
        leaves = tf.reshape(leaves, [tf.shape(aggregates)[0], self.answers, self.trees])
        return tf.reduce_sum(leaves, axis=-1) + self.base

    def blend(self, logits: Any, aggregates: Any) -> Any:
        """Returns `(1 - share) * logits + share * trees`, `[B, H]`."""
        return blend(logits, self(aggregates), tf.convert_to_tensor(self.share))

    def assign(self, trees: Sequence[Trees | None]) -> None:
        """Fills in the trees of every output; none leaves it without."""
        for answer, found in enumerate(trees):
            if found is None:
                continue
            rows = slice(answer * self.trees, (answer + 1) * self.trees)
            for name in ("column", "threshold", "leaf"):
                variable = getattr(self, name)
                values = variable.numpy()
                values[rows] = getattr(found, name)
                variable.assign(values)
            self.base.assign(np.where(np.arange(self.answers) == answer, found.base, self.base.numpy()))

    def grown(self) -> list[bool]:
        """Returns by output whether `assign` has filled in its trees."""
        leaves: npt.NDArray[np.float32] = self.leaf.numpy()
        return [bool(part.any()) for part in leaves.reshape(self.answers, -1)]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return super().get_config() | {"answers": self.answers, "trees": self.trees}


def blend(logits: Any, trees: Any, share: Any) -> Any:
    """Returns the mean of two scores, `share` of it from the trees."""
    return logits + share * (trees - logits)
