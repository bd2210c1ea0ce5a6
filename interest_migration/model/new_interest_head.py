"""Scores the candidates for new interests."""

from typing import Any

import keras
import tensorflow as tf

from interest_migration.model.scatter import sum_by_id
from schemas.features import HORIZONS, INTEREST_COUNT, INTEREST_IDS


@keras.saving.register_keras_serializable("interest_migration")
class NewInterestHead(keras.layers.Layer):
    """`bias + slope * rate(category) + repeat * log(1 + older touches) + touched * [any]`, for every horizon.

    It has few weights on purpose, and starts near "older counts, then popularity". What is new drifts as a log grows
    longer, and terms for user and category fit what has passed.

    Args:
      categories: V.
    """

    def __init__(self, categories: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.categories = categories

    def build(self, input_shape: Any) -> None:
        """Makes the weights, and the rates (log-odds of being new, less their mean), filled in before training."""
        shape = [len(HORIZONS)]
        self.slope = self.add_weight(name="slope", shape=shape, initializer=keras.initializers.Constant(0.75))
        self.repeat = self.add_weight(name="repeat", shape=shape, initializer=keras.initializers.Constant(0.75))
        self.touched = self.add_weight(name="touched", shape=shape, initializer=keras.initializers.Constant(0.5))
        self.bias = self.add_weight(name="bias", shape=shape, initializer="zeros")
        self.rates = self.add_weight(
            name="rates", shape=[*shape, self.categories], initializer="zeros", trainable=False
        )
        self.built = True

    def call(self, inputs: dict[str, Any]) -> list[Any]:
        """Scores categories.

        Args:
          inputs: Feature name -> `[B, K]`, the interest profile.

        Returns:
          For each horizon, `[B, V]` logits.
        """
        ids = inputs[INTEREST_IDS]
        older = sum_by_id(tf.math.log1p(inputs[INTEREST_COUNT]), ids - 1, self.categories)
        touched = tf.cast(older > 0, older.dtype)
        return [
            self.bias[column]
            + self.slope[column] * self.rates[column]
            + self.repeat[column] * older
            + self.touched[column] * touched
            for column in range(len(HORIZONS))
        ]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return super().get_config() | {"categories": self.categories}
