"""Reads a history step by step."""

from typing import Any

import keras
import tensorflow as tf
from keras_hub.layers import TransformerDecoder

from interest_migration.model.cheap_layers import IdEmbedding
from interest_migration.model.event_embedding import EventEmbedding
from interest_migration.model.scatter import sum_by_id
from interest_migration.model.settings import ModelSettings
from interest_migration.model.step_pooling import StepPooling
from interest_migration.transform.buckets import TIME_BUCKETS
from schemas.features import AGE_BUCKETS, GAP_BUCKETS, SESSION_INDEX, STEP_INDEX


@keras.saving.register_keras_serializable("interest_migration")
class TrajectoryEncoder(keras.layers.Layer):
    """Causal pre-norm transformer over steps.

    A step token is the pooled embedding of its events plus embeddings of its age, the gap before it, its session and
    its position from the newest.

    Args:
      settings: Values of `ModelSettings`.
      sizes: Values of `VocabularySizes`.
      static_shapes: Always read `max_steps` steps, as compilation ahead of time needs; else the longest of the batch.
    """

    def __init__(
        self, settings: dict[str, Any], sizes: dict[str, int], static_shapes: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.settings, self.sizes, self.static_shapes = settings, sizes, static_shapes
        parsed = ModelSettings(**settings)
        self.max_steps, width = parsed.max_steps, parsed.width
        self.events = EventEmbedding(width, sizes, parsed.text.only, name="events")
        self.pooling = StepPooling(name="pooling")
        rows = {AGE_BUCKETS: TIME_BUCKETS, GAP_BUCKETS: TIME_BUCKETS, SESSION_INDEX: sizes["sessions"]}
        self.times = {name: IdEmbedding(size, width, name=name) for name, size in rows.items()}
        self.positions = IdEmbedding(parsed.max_steps, width, name="positions")
        self.norm = keras.layers.LayerNormalization(name="token_norm")
        self.dropout = keras.layers.Dropout(parsed.embedding_dropout)
        self.blocks = [_block(parsed, f"block_{number}") for number in range(parsed.layers)]
        self.output_norm = keras.layers.LayerNormalization(name="output_norm")

    def call(self, inputs: dict[str, Any], training: bool = False) -> tuple[Any, Any]:
        """Encodes histories.

        Args:
          inputs: Feature name -> `[B, E]` int32.
          training: Whether to drop units.

        Returns:
          `[B, S, D]` states, old to new, and `[B, S]` bool, which of them are steps (not padding).
        """
        index = inputs[STEP_INDEX]
        steps = self.max_steps if self.static_shapes else self._longest(index)
        tokens, counts = self.pooling(self.events(inputs), index, steps=steps)
        states = self.dropout(self.norm(tokens + self._times(inputs, counts, steps)), training=training)
        mask = counts > 0
        for block in self.blocks:
            states = block(states, decoder_padding_mask=mask, training=training)
        return self.output_norm(states), mask

    def _longest(self, index: Any) -> Any:
        """Reduces over a padded column too, so that a batch without any event has one (padded) step."""
        longest = tf.reduce_max(tf.pad(index, [[0, 0], [0, 1]])) + 1
        return tf.minimum(longest, self.max_steps)

    def _times(self, inputs: dict[str, Any], counts: Any, steps: Any) -> Any:
        """`[B, S, D]`: events of a step agree in these features, so that their mean is the value of each."""
        index = inputs[STEP_INDEX]
        slot = tf.where(index < 0, -1, steps - 1 - index)
        sums = sum_by_id(tf.stack([inputs[name] for name in self.times], axis=-1), slot, steps)
        values = tf.unstack(sums // tf.maximum(counts, 1)[..., tf.newaxis], axis=-1)
        summed = self.positions(tf.range(steps - 1, -1, -1))[tf.newaxis]
        for table, value in zip(self.times.values(), values, strict=True):
            summed += table(value)
        return summed

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        config = {"settings": self.settings, "sizes": self.sizes, "static_shapes": self.static_shapes}
        return super().get_config() | config


def _block(settings: ModelSettings, name: str) -> TransformerDecoder:
    return TransformerDecoder(
        settings.feedforward_width,
        settings.heads,
        dropout=settings.dropout,
        activation="gelu",
        normalize_first=True,
        name=name,
    )
