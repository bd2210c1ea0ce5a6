"""Reads what followed the newest items (or categories) of a history in the training log."""

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from interest_migration.model.gains import Gains, sum_distinct
from interest_migration.model.settings import GraphSettings


class Evidence(NamedTuple):
    """Followers of the newest events of each history.

    Attributes:
      ids: `[B, M, N]` int32 ids of followers, 0 for none.
      counts: `[B, M, N]` float32, how often each followed, as counted in training.
      shares: `[B, M, N]` float32, what one of these counts is worth: 1, or less between frequent ids with `cosine`.
      steps: `[B, M]` int32, steps back of the event that they follow; K for none.
      gate: `[B, 1]` float32, how much the user follows others.
    """

    ids: tf.Tensor
    counts: tf.Tensor
    shares: tf.Tensor
    steps: tf.Tensor
    gate: tf.Tensor


@keras.saving.register_keras_serializable("interest_migration")
class TransitionGraph(keras.layers.Layer):
    """`gate(user) * log(1 + scale * sum of weight(k) * count(a -> b))` over the events a of the newest K steps.

    Counts of item transitions alone beat many trained models (Dacrema et al. 2019, RecSys); as a part of the logits
    whose weights are learned, they are the floor that the model starts from. The graph holds the N most frequent
    followers of each id, counted in the training log over up to K steps with weight `decay ** (k - 1)`. With `cosine`,
    counts are divided by the square root of how often either end occurs (Sarwar et al. 2001, WWW).

    A training example is part of what was counted. `gains` therefore takes its own transition out of the counts before
    it reads them, else a transition seen once would predict itself.

    Args:
      size: V.
      settings: Values of `GraphSettings`.
    """

    def __init__(self, size: int, settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.settings = size, GraphSettings(**settings)
        self.steps, self.sources = self.settings.steps, self.settings.sources
        self.neighbours = min(self.settings.neighbours, size)
        self.gate = keras.layers.Dense(1, activation="softplus", name="gate")

    def build(self, input_shape: Any = None) -> None:
        """Makes the (empty) graph and the weights, in float32 whatever the precision: counts are large numbers."""
        shape = [self.size + 2, self.neighbours]
        self.ids = self.add_weight(name="ids", shape=shape, dtype="int32", initializer="zeros", trainable=False)
        self.counts = self._float(name="counts", shape=shape, initializer="zeros", trainable=False)
        self.shares = self._float(name="shares", shape=[self.size + 2], initializer="ones", trainable=False)
        lags = keras.initializers.Constant(np.log(self.settings.decay) * np.arange(self.steps))
        self.lags = self._float(name="lags", shape=[self.steps], initializer=lags)
        scale = keras.initializers.Constant(np.log(50) if self.settings.cosine else 0.0)
        self.scale = self._float(name="scale", shape=[], initializer=scale)
        self.built = True

    def _float(self, **options: Any) -> Any:
        return self.add_weight(dtype="float32", autocast=False, **options)

    def call(self, ids: Any, step_index: Any, user: Any) -> Evidence:
        """Looks the newest events up.

        Args:
          ids: `[B, E]` int32.
          step_index: `[B, E]` int32, negative for padding.
          user: `[B, U]`.
        """
        readable = (step_index >= 0) & (step_index < self.steps) & (ids > 0)
        steps = tf.where(readable, step_index, self.steps)
        padding = [[0, 0], [0, self.sources]]
        steps, ids = tf.pad(steps, padding, constant_values=self.steps), tf.pad(ids, padding)
        newest = tf.math.top_k(-steps, self.sources)
        sources = tf.where(newest.values > -self.steps, tf.gather(ids, newest.indices, batch_dims=1), 0)
        followers = tf.gather(self.ids.value, sources)
        return Evidence(
            followers,
            tf.gather(self.counts.value, sources),
            tf.gather(self.shares.value, followers) * tf.gather(self.shares.value, sources)[..., tf.newaxis],
            -newest.values,
            tf.cast(self.gate(user), tf.float32),
        )

    def read(self, ids: Any, step_index: Any, user: Any, left_out: Any = None) -> Gains:
        """Returns what followers of the newest events gain; arguments as for `call` and `gains`."""
        return self.gains(self(ids, step_index, user), left_out)

    def gains(self, evidence: Evidence, left_out: tf.Tensor | None = None) -> Gains:
        """Returns what the followers gain.

        Args:
          evidence: What `call` returned.
          left_out: `[B, L]` int32 ids that follow the newest step in the example itself.
        """
        counts, steps = evidence.counts, tf.minimum(evidence.steps, self.steps - 1)
        if left_out is not None:
            own = tf.reduce_any(evidence.ids[..., tf.newaxis] == left_out[:, tf.newaxis, tf.newaxis], axis=-1)
            once = self.settings.decay ** tf.cast(steps, tf.float32)[..., tf.newaxis]
            counts = tf.maximum(counts - tf.where(own, once, 0.0), 0.0)
        weights = tf.exp(tf.gather(self.lags.value, steps) + self.scale)[..., tf.newaxis]
        flat = [tf.shape(counts)[0], self.sources * self.neighbours]
        ids, sums = sum_distinct(tf.reshape(evidence.ids, flat), tf.reshape(counts * evidence.shares * weights, flat))
        return Gains(ids, evidence.gate * tf.math.log1p(sums))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return super().get_config() | {"size": self.size, "settings": self.settings.model_dump()}
