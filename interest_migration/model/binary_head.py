"""Answers yes-or-no questions about the user."""

from typing import Any

import keras


@keras.saving.register_keras_serializable("interest_migration")
class BinaryHead(keras.layers.Layer):
    """A linear term over the user vector plus a network over the aggregates.

    Args:
      answers: Number of questions.
      width: Hidden width over the aggregates.
      dropout: Share of units dropped.
    """

    def __init__(self, answers: int, width: int, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.answers, self.width, self.rate = answers, width, dropout
        self.hidden = keras.layers.Dense(width, activation="gelu", name="hidden")
        self.dropout = keras.layers.Dropout(dropout)
        self.output_layer = keras.layers.Dense(answers, name="output")

    def call(self, user: Any, aggregates: Any, training: bool = False) -> Any:
        """Answers.

        Args:
          user: `[B, U]`.
          aggregates: `[B, A]`.
          training: Whether to drop units.

        Returns:
          `[B, answers]` logits.
        """
        hidden = self.dropout(self.hidden(aggregates), training=training)
        return self.output_layer(keras.ops.concatenate([user, aggregates, hidden], axis=-1))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return super().get_config() | {"answers": self.answers, "width": self.width, "dropout": self.rate}
