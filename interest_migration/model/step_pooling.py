"""Pools the events of a step."""

from typing import Any

import keras
import tensorflow as tf

from interest_migration.model.scatter import sum_by_id


@keras.saving.register_keras_serializable("interest_migration")
class StepPooling(keras.layers.Layer):
    """Sum of a step's events over the square root of their number: independent of their order.

    Steps come out old to new, the newest always last; histories with fewer steps are padded on the left. Example:

        step_index [[1, 0, 0]], steps 3  ->  step 0: padding, step 1: event 0, step 2: (event 1 + event 2) / sqrt(2)
    """

    def call(self, events: Any, step_index: Any, steps: Any) -> tuple[Any, Any]:
        """Pools events.

        Args:
          events: `[B, E, D]`.
          step_index: `[B, E]` int32, steps back from the newest; negative for padding.
          steps: S; events of older steps are left out.

        Returns:
          `[B, S, D]` step vectors, and `[B, S]` int32 numbers of events (0 for padding).
        """
        slot = tf.where(step_index < 0, -1, steps - 1 - step_index)
        counts = sum_by_id(tf.ones_like(step_index), slot, steps)
        divisor = tf.sqrt(tf.cast(tf.maximum(counts, 1), events.dtype))
        return sum_by_id(events, slot, steps) / divisor[..., tf.newaxis], counts
