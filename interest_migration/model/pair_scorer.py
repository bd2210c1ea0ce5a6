"""Scores every pair of a user and a category."""

from typing import Any, Final

import keras
import tensorflow as tf

from interest_migration.model.cheap_layers import row_dense
from interest_migration.model.pair_numbers import COUNTS, pair_numbers
from schemas.features import HORIZONS

PAIR_TASKS: Final = tuple(f"{task}_{horizon}" for task in ("propensity", "new_interest") for horizon in HORIZONS)
"""What a pair is scored for, in this order."""


@keras.saving.register_keras_serializable("interest_migration")
class PairScorer(keras.layers.Layer):
    """One small network over counts, shares, co-interest, the category and the user, the same for all categories.

    It covers the most frequent categories, so that what it holds in memory is bounded; the rest scores 0. Its scores
    start at 0.

    Args:
      categories: V.
      covered: M, at most so many categories are scored.
      width: Hidden width W.
      dropout: Share of hidden units dropped.
    """

    def __init__(self, categories: int, covered: int, width: int, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # counts lose too much in half precision
        self.categories, self.covered, self.width, self.rate = categories, min(covered, categories), width, dropout
        self.from_numbers = row_dense(width, bias_axes="u", name="from_numbers")
        self.from_category = keras.layers.Dense(width, use_bias=False, name="from_category")
        self.from_user = keras.layers.Dense(width, use_bias=False, name="from_user")
        self.hidden = row_dense(width, bias_axes="u", activation="gelu", name="hidden")
        self.dropout = keras.layers.Dropout(dropout)
        self.scores = row_dense(len(PAIR_TASKS), bias_axes="u", kernel_initializer="zeros", name="scores")
        self.linear_scores = row_dense(len(PAIR_TASKS), kernel_initializer="zeros", name="linear_scores")

    def build(self, *_: Any) -> None:
        """Makes what the training examples fill in: mean counts `[M, 4]` and co-interest `[M, M]`."""
        shape = {"usual": [self.covered, len(COUNTS)], "co_interest": [self.covered, self.covered]}
        self.usual, self.co_interest = (
            self.add_weight(name=name, shape=size, initializer="zeros", trainable=False, autocast=False)
            for name, size in shape.items()
        )
        self.built = True

    def call(self, inputs: dict[str, Any], categories: Any, user: Any, training: bool = False) -> dict[str, Any]:
        """Scores.

        Args:
          inputs: Feature name -> `[B, K]`, the interest profile.
          categories: `[V, E]` embeddings of the categories.
          user: `[B, U]` what is known of the user as a whole.
          training: Whether to drop units.

        Returns:
          Task in `PAIR_TASKS` -> `[B, V]` float32.
        """
        numbers = pair_numbers(inputs, tf.convert_to_tensor(self.usual), tf.convert_to_tensor(self.co_interest))
        numbers = tf.cast(numbers, self.compute_dtype)
        hidden = self.from_numbers(numbers) + self.from_category(categories[: self.covered])
        hidden = keras.ops.gelu(hidden + self.from_user(user)[:, tf.newaxis])
        hidden = self.dropout(self.hidden(hidden), training=training)
        scores = tf.cast(self.scores(hidden) + self.linear_scores(numbers), tf.float32)
        scores = tf.pad(scores, [[0, 0], [0, self.categories - self.covered], [0, 0]])
        return dict(zip(PAIR_TASKS, tf.unstack(scores, axis=-1), strict=True))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return super().get_config() | {
            "categories": self.categories,
            "covered": self.covered,
            "width": self.width,
            "dropout": self.rate,
        }
