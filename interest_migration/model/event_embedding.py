"""Embeds single events."""

from typing import Any, Final

import keras

from interest_migration.model.settings import VocabularySizes
from schemas.events import ACTIONS
from schemas.features import (
    ACTION_IDS,
    BRAND_IDS,
    CATEGORY_IDS,
    CHILD_IDS,
    ITEM_IDS,
    PARENT_IDS,
    PLATFORM_IDS,
    PRICE_BUCKETS,
)

_SPREAD: Final = 0.02
"""Standard deviation of new vectors: small, so that rare values keep to what they share with others."""


@keras.saving.register_keras_serializable("interest_migration")
class EventEmbedding(keras.layers.Layer):
    """Sum of the embeddings of item, category, parent, child, brand, action, platform and price.

    Args:
      width: D.
      sizes: Vocabulary sizes, as values of `VocabularySizes`.
    """

    def __init__(self, width: int, sizes: dict[str, int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width, self.sizes = width, dict(sizes)
        counts = VocabularySizes(**sizes)
        self.tables = {
            ITEM_IDS: self._table(counts.items + 2),
            CATEGORY_IDS: self._table(counts.categories + 2),
            PARENT_IDS: self._table(counts.parents + 2),
            CHILD_IDS: self._table(counts.children + 2),
            BRAND_IDS: self._table(counts.brands + 2),
            ACTION_IDS: self._table(len(ACTIONS) + 1),
            PLATFORM_IDS: self._table(counts.platforms + 2),
            PRICE_BUCKETS: self._table(counts.price_buckets + 1),
        }

    def _table(self, rows: int) -> keras.layers.Embedding:
        return keras.layers.Embedding(rows, self.width, keras.initializers.RandomNormal(stddev=_SPREAD))

    def build(self, input_shape: Any) -> None:
        """Makes the tables."""
        for table in self.tables.values():
            table.build(None)
        self.built = True

    def call(self, inputs: dict[str, Any]) -> Any:
        """Embeds events.

        Args:
          inputs: Feature name -> `[B, E]` int32.

        Returns:
          `[B, E, D]`.
        """
        embedded = [table(inputs[name]) for name, table in self.tables.items()]
        return sum(embedded[1:], embedded[0])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return super().get_config() | {"width": self.width, "sizes": self.sizes}
