"""Reads the interest profile: one row per category that the user has touched."""

from typing import Any, Final

import keras
import tensorflow as tf

from interest_migration.model.cheap_layers import IdEmbedding, row_dense
from interest_migration.model.scatter import sum_by_id
from schemas.features import HORIZONS

PROFILE_SCORES: Final = 1 + len(HORIZONS)
"""Scores per row of the profile: next category, and propensity over the horizons."""


@keras.saving.register_keras_serializable("interest_migration")
class ProfileEncoder(keras.layers.Layer):
    """A network over (user, category) counts, their logarithms, recency, the category and the user.

    Its scores are the wide part of the category heads: any smooth function of a category's counts and recency, such as
    recency-weighted counts, shifted by what is particular to the category (its rhythm) and to the user (activity).

    Args:
      categories: V.
      width: Hidden width W.
      pooled_width: D, width of the pooled profile.
      dropout: Share of hidden units dropped.
    """

    def __init__(self, categories: int, width: int, pooled_width: int, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.categories, self.width, self.pooled_width, self.rate = categories, width, pooled_width, dropout
        self.from_numbers = row_dense(width, bias_axes="u", name="from_numbers")
        self.from_category = IdEmbedding(categories + 2, width, name="from_category")
        self.from_user = keras.layers.Dense(width, use_bias=False, name="from_user")
        self.hidden = row_dense(width, bias_axes="u", activation="gelu", name="hidden")
        self.dropout = keras.layers.Dropout(dropout)
        self.scores = row_dense(PROFILE_SCORES, bias_axes="u", name="scores")
        self.linear_scores = row_dense(PROFILE_SCORES, name="linear_scores")
        self.offsets = IdEmbedding(categories + 2, PROFILE_SCORES, "zeros", name="offsets")
        self.gate = row_dense(1, bias_axes="u", activation="softplus", name="gate")
        self.values = IdEmbedding(categories + 2, pooled_width, name="values")
        self.pool_hidden = row_dense(pooled_width, bias_axes="u", name="pool_hidden")

    def call(self, numbers: Any, ids: Any, user: Any, training: bool = False) -> tuple[Any, Any]:
        """Scores and pools profiles.

        Args:
          numbers: `[B, K, F]`, see `profile_numbers`.
          ids: `[B, K]` int32 category ids.
          user: `[B, U]` what is known of the user as a whole.
          training: Whether to drop units.

        Returns:
          `[B, V, PROFILE_SCORES]` scores, 0 for categories outside the profile, and the `[B, D]` pooled profile.
        """
        hidden = self.from_numbers(numbers) + self.from_category(ids) + self.from_user(user)[:, tf.newaxis]
        hidden = self.dropout(self.hidden(keras.ops.gelu(hidden)), training=training)
        scores = self.scores(hidden) + self.linear_scores(numbers) + self.offsets(ids)
        scores = sum_by_id(scores, ids - 1, self.categories)
        weights = self.gate(hidden) * tf.cast(ids > 0, hidden.dtype)[..., tf.newaxis]
        pooled = tf.reduce_sum(weights * (self.values(ids) + self.pool_hidden(hidden)), axis=1)
        return scores, pooled / (1 + tf.reduce_sum(weights, axis=1))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return super().get_config() | {
            "categories": self.categories,
            "width": self.width,
            "pooled_width": self.pooled_width,
            "dropout": self.rate,
        }
