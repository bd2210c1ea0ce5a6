"""The signature `embed_names`: the vectors of items and categories by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from interest_migration.model.names import Ids
from schemas.signatures import (
    CATEGORY_KNOWN,
    CATEGORY_VECTOR,
    EMBED_CATEGORY,
    EMBED_ITEM,
    ITEM_BIAS,
    ITEM_KNOWN,
    ITEM_VECTOR,
)

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel


def embed_names(model: InterestModel, item_vectors: tf.Variable, item_ids: Ids, category_ids: Ids) -> Any:
    """Returns the function behind the signature, see `schemas.signatures`.

    Args:
      model: The model.
      item_vectors: `[V, D]`, what `model.item_vectors` returned.
      item_ids: Ids of items.
      category_ids: Ids of categories.
    """

    def embed(item: tf.Tensor, category: tf.Tensor) -> dict[str, tf.Tensor]:
        items, categories = item_ids(item), category_ids(category)
        return {
            ITEM_VECTOR: _rows(item_vectors, items),
            ITEM_BIAS: _rows(model.next_item.bias[1:-1, tf.newaxis], items)[:, 0],
            ITEM_KNOWN: items > 0,
            CATEGORY_VECTOR: _rows(model.category_embeddings(), categories),
            CATEGORY_KNOWN: categories > 0,
        }

    names = [tf.TensorSpec([None], tf.string, name=name) for name in (EMBED_ITEM, EMBED_CATEGORY)]
    return tf.function(embed, input_signature=names, autograph=False)


def _rows(table: Any, ids: tf.Tensor) -> tf.Tensor:
    """`[N, D]` float32 rows of `[V, D]`, row j for id j + 1; 0 for id 0."""
    rows = tf.gather(tf.cast(table, tf.float32), tf.maximum(ids - 1, 0))
    return tf.where(ids[:, tf.newaxis] > 0, rows, 0.0)
