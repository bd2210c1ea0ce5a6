"""Scores categories against the tied category embeddings."""

from typing import Any

import keras


@keras.saving.register_keras_serializable("interest_migration")
class CategoryHead(keras.layers.Layer):
    """`query(state) . embedding(category) + bias(category)`.

    Args:
      size: V.
      width: D of the embeddings.
      user_offset: Whether to add a term that depends on the state only; it tells active users from others.
    """

    def __init__(self, size: int, width: int, user_offset: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.width, self.user_offset = size, width, user_offset
        self.query = keras.layers.Dense(width, name="query")
        self.offset = keras.layers.Dense(1, name="offset") if user_offset else None

    def build(self, input_shape: Any, *_: Any) -> None:
        """Makes the biases."""
        self.bias = self.add_weight(name="bias", shape=[self.size], initializer="zeros")
        self.built = True

    def call(self, state: Any, embeddings: Any) -> Any:
        """Scores every category.

        Args:
          state: `[..., U]`.
          embeddings: `[V, D]`.

        Returns:
          `[..., V]` logits.
        """
        logits = keras.ops.matmul(self.query(state), keras.ops.transpose(embeddings)) + self.bias
        return logits if self.offset is None else logits + self.offset(state)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return super().get_config() | {"size": self.size, "width": self.width, "user_offset": self.user_offset}
