"""Reads what a user may come back to."""

from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from interest_migration.model.cheap_layers import IdEmbedding
from interest_migration.model.gains import Gains, sum_distinct
from interest_migration.transform.buckets import TIME_BUCKETS
from schemas.events import ACTIONS
from schemas.features import ACTION_IDS, AGE_BUCKETS, STEP_INDEX

_FAR_STEP: Final = 31
"""Steps further back than this count alike."""


@keras.saving.register_keras_serializable("interest_migration")
class RepeatEncoder(keras.layers.Layer):
    """`appetite(user) * log(1 + sum of weight(age, action, steps back) over the events of an id)`.

    A copy mechanism (Gu et al. 2016, ACL; for baskets, Ren et al. 2019, AAAI) whose weights learn how fast an interest
    wears off: with equal weights it ranks by frequency, with steep ones by recency.

    Args:
      feature: Name of the event feature with the ids.
      decay: Weight that an event loses with every step at the start of training.
      appetites: Numbers of a user's appetite, for what builds on event weights.
    """

    def __init__(self, feature: str, decay: float = 1.0, appetites: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.feature, self.decay, self.appetites = feature, decay, appetites
        self.ages = IdEmbedding(TIME_BUCKETS, 1, "zeros", name="ages")
        self.actions = IdEmbedding(len(ACTIONS) + 1, 1, "zeros", name="actions")
        self.appetite = keras.layers.Dense(appetites, activation="softplus", name="appetite")

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights of steps."""
        start = keras.initializers.Constant(np.log(self.decay) * np.arange(_FAR_STEP + 1))
        self.steps = self.add_weight(
            name="steps", shape=[_FAR_STEP + 1], dtype="float32", autocast=False, initializer=start
        )
        self.built = True

    def call(self, inputs: dict[str, Any], user: Any) -> Gains:
        """Scores the ids of histories.

        Args:
          inputs: Feature name -> `[B, E]` int32.
          user: `[B, U]`.
        """
        ids, sums = sum_distinct(inputs[self.feature], self.event_weights(inputs))
        return Gains(ids, tf.cast(self.appetite(user), tf.float32) * tf.math.log1p(sums))

    def event_weights(self, inputs: dict[str, Any]) -> Any:
        """Returns the `[B, E]` float32 weights of the events."""
        back = tf.gather(self.steps.value, tf.clip_by_value(inputs[STEP_INDEX], 0, _FAR_STEP))
        kind = (self.ages(inputs[AGE_BUCKETS]) + self.actions(inputs[ACTION_IDS]))[..., 0]
        return tf.exp(tf.cast(kind, tf.float32) + back)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        own = {"feature": self.feature, "decay": self.decay, "appetites": self.appetites}
        return super().get_config() | own
