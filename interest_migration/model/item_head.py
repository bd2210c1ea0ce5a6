"""Scores items against the tied embeddings of items and of their attributes."""

from typing import Any

import keras
import tensorflow as tf

from interest_migration.model.event_embedding import EventEmbedding
from schemas.features import ITEM_IDS


@keras.saving.register_keras_serializable("interest_migration")
class ItemHead(keras.layers.Layer):
    """`query(state) . vector(item) + bias(item)`.

    The vector of an item is its embedding plus those of its attributes, from the tables that read events; rare items so
    borrow from their category and brand. `attributes` is filled before training, from the training events.

    Args:
      size: V.
      width: D of the embeddings.
      attributes: Names of the event features that describe an item.
    """

    def __init__(self, size: int, width: int, attributes: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.width, self.attributes = size, width, tuple(attributes)
        self.query = keras.layers.Dense(width, name="query")

    def build(self, input_shape: Any) -> None:
        """Makes the biases and the table of attributes (0, "none", to begin with)."""
        self.query.build(input_shape)
        self.bias = self.add_weight(name="bias", shape=[self.size + 2], initializer="zeros")
        self.attribute_ids = self.add_weight(
            name="attribute_ids",
            shape=[self.size + 2, len(self.attributes)],
            dtype="int32",
            initializer="zeros",
            trainable=False,
        )
        self.built = True

    def call(self, state: Any) -> Any:
        """Returns the `[..., D]` query of a `[..., U]` state."""
        return self.query(state)

    def vectors(self, ids: Any, tables: EventEmbedding, shown: Any = None) -> Any:
        """Returns the `[..., D]` vectors of `[...]` item ids.

        Args:
          ids: Item ids.
          tables: What reads events.
          shown: `[V + 2]` ids under which items are known (`text_inputs`); by default their own.
        """
        own = ids if shown is None else tf.gather(shown, ids)
        described = tf.gather(self.attribute_ids.value, own)
        vectors = tables.tables[ITEM_IDS](own) + tables.item_text(ids)
        for column, name in enumerate(self.attributes):
            vectors += tables.tables[name](described[..., column])
        return vectors

    def biases(self, ids: Any, shown: Any = None) -> Any:
        """Returns the `[...]` biases of `[...]` item ids."""
        return tf.gather(self.bias.value, ids if shown is None else tf.gather(shown, ids))

    def all_vectors(self, tables: EventEmbedding, shown: Any = None) -> Any:
        """Returns the `[V, D]` vectors of all items, row j for id j + 1."""
        return self.vectors(tf.range(1, self.size + 1), tables, shown)

    def scores(self, query: Any, tables: EventEmbedding, shown: Any = None, vectors: Any = None) -> Any:
        """Returns the `[..., V]` float32 logits of every item for `[..., D]` queries; column j stands for id j + 1.

        Args:
          query: `[..., D]`.
          tables: The tables that read events.
          shown: `[V + 2]` ids under which items are known; by default their own.
          vectors: What `all_vectors` returned for ids of their own, if it is at hand.
        """
        if vectors is None or shown is not None:
            vectors = self.all_vectors(tables, shown)
        biases = self.bias[1:-1] if shown is None else self.biases(tf.range(1, self.size + 1), shown)
        return tf.cast(tf.matmul(query, vectors, transpose_b=True), tf.float32) + biases

    def text_scores(self, query: Any, tables: EventEmbedding, vectors: Any) -> Any:
        """Returns the `[..., C]` float32 logits of items that are known by `[C, W]` vectors of their texts alone."""
        unknown = tf.constant([self.size + 1])
        known = self.vectors(unknown, tables) + tables.language()(vectors)
        return tf.cast(tf.matmul(query, known, transpose_b=True), tf.float32) + self.biases(unknown)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return super().get_config() | {"size": self.size, "width": self.width, "attributes": self.attributes}
