"""What the texts of items, and of searches, messages and reviews, say to the model."""

from typing import Any, Final

import keras
import tensorflow as tf

_SPREAD: Final = 0.02
"""Standard deviation of the new projection: vectors of length 1 come out as small as new vectors of ids, so that texts
begin without a say of their own in which item follows."""


@keras.saving.register_keras_serializable("interest_migration")
class TextEmbedding(keras.layers.Layer):
    """Frozen vectors of a language model and one learned projection of all of them.

    A zero vector (no text) stays zero. Items and typed texts share the projection, so that a query moves a user towards
    the items that it describes.

    Args:
      width: D of the model.
      text_width: W of the language model.
      items: V.
      texts: Number of known texts of searches, messages and reviews.
    """

    def __init__(self, width: int, text_width: int, items: int, texts: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width, self.text_width, self.items, self.texts = width, text_width, items, texts
        self._projected: Any = None

    def build(self, input_shape: Any) -> None:
        """Makes the projection and the tables, which are zero until `assign`."""
        spread = keras.initializers.RandomNormal(stddev=_SPREAD)
        self.kernel = self.add_weight(name="kernel", shape=[self.text_width, self.width], initializer=spread)
        self.item_table = self._table("items", self.items)
        self.text_table = self._table("texts", self.texts)
        self.built = True

    def _table(self, name: str, size: int) -> Any:
        shape = [size + 2, self.text_width]
        return self.add_weight(name=name, shape=shape, dtype="float16", initializer="zeros", trainable=False)

    def assign(self, items: Any, texts: Any) -> None:
        """Fills the tables with `[V + 2, W]` and `[T + 2, W]` vectors."""
        self.item_table.assign(items)
        self.text_table.assign(texts)

    def call(self, vectors: Any) -> Any:
        """Projects `[..., W]` vectors of texts to `[..., D]`."""
        return tf.tensordot(tf.cast(vectors, self.compute_dtype), tf.cast(self.kernel, self.compute_dtype), 1)

    def of_items(self, ids: Any) -> Any:
        """Returns the `[..., D]` vectors of `[...]` item ids."""
        table = self(self.item_table.value) if self._projected is None else self._projected[0]
        return tf.gather(table, ids)

    def of_texts(self, ids: Any) -> Any:
        """Returns the `[..., D]` vectors of `[...]` ids of texts."""
        table = self(self.text_table.value) if self._projected is None else self._projected[1]
        return tf.gather(table, ids)

    def freeze(self) -> list[tf.Variable]:
        """Projects the tables once and for all, before export: a request then costs no projection.

        Returns:
          The projected tables, for whoever saves the model.
        """
        tables = (self.item_table, self.text_table)
        self._projected = tuple(tf.Variable(self(table.value), trainable=False) for table in tables)
        return list(self._projected)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        config = {"width": self.width, "text_width": self.text_width, "items": self.items, "texts": self.texts}
        return super().get_config() | config
