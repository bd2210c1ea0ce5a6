"""Layers of Keras in fewer operations: an answer for one user costs as much as it has operations."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("interest_migration")
class IdEmbedding(keras.layers.Embedding):
    """An embedding of ids that are never negative; Keras' own looks for such and wraps them around."""

    def call(self, inputs: Any) -> Any:
        """Returns the `[..., D]` vectors of `[...]` ids."""
        vectors = tf.gather(tf.convert_to_tensor(self.embeddings), inputs)
        return tf.cast(vectors, self.compute_dtype)


def row_dense(units: int, **options: Any) -> keras.layers.EinsumDense:
    """Returns a dense layer over the last axis of `[B, N, F]`, in one operation where `Dense` takes a dozen.

    Args:
      units: U, width of the `[B, N, U]` result.
      options: Others of `keras.layers.EinsumDense`; it has no bias unless `bias_axes` is "u".
    """
    return keras.layers.EinsumDense("bnf,fu->bnu", (None, units), **options)
