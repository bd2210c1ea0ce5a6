"""Embeds single events."""

from typing import Any, Final

import keras

from interest_migration.errors import ContractError
from interest_migration.model.cheap_layers import IdEmbedding
from interest_migration.model.settings import VocabularySizes
from interest_migration.model.text_embedding import TextEmbedding
from interest_migration.model.text_inputs import TRUE_ITEM_IDS, align_events
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
    TEXT_IDS,
)
from schemas.signatures import EVENT_VECTORS

_SPREAD: Final = 0.02
"""Standard deviation of new vectors: small, so that rare values keep to what they share with others."""


@keras.saving.register_keras_serializable("interest_migration")
class EventEmbedding(keras.layers.Layer):
    """Sum of the embeddings of item, category, parent, child, brand, action, platform and price, and of texts.

    Args:
      width: D.
      sizes: Vocabulary sizes, as values of `VocabularySizes`.
      only_text: Whether items are known by their text alone.
    """

    def __init__(self, width: int, sizes: dict[str, int], only_text: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width, self.sizes, self.only_text = width, dict(sizes), only_text
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

        self.read = (ITEM_IDS, ACTION_IDS) if only_text else tuple(self.tables)
        width_of_text = counts.text_width
        self.text = (
            TextEmbedding(width, width_of_text, counts.items, counts.texts, name="text") if width_of_text else None
        )

    def _table(self, rows: int) -> IdEmbedding:
        return IdEmbedding(rows, self.width, keras.initializers.RandomNormal(stddev=_SPREAD))

    def build(self, input_shape: Any) -> None:
        """Makes the tables."""
        for table in self.tables.values():
            table.build(None)
        if self.text:
            self.text.build(None)
        self.built = True

    def call(self, inputs: dict[str, Any]) -> Any:
        """Embeds events.

        Args:
          inputs: Feature name -> `[B, E]` int32; may hold EVENT_VECTORS `[B, E, W]`, of texts
            that no table has.

        Returns:
          `[B, E, D]`.
        """
        embedded = [self.tables[name](inputs[name]) for name in self.read]
        if self.text:
            embedded.append(self.text.of_items(inputs.get(TRUE_ITEM_IDS, inputs[ITEM_IDS])))
            embedded.append(self.text.of_texts(align_events(inputs, inputs[TEXT_IDS])))
            if EVENT_VECTORS in inputs:
                embedded.append(self.text(align_events(inputs, inputs[EVENT_VECTORS])))
        return sum(embedded[1:], embedded[0])

    def assign_texts(self, items: Any, texts: Any) -> None:
        """Fills the tables of vectors of texts, `[V + 2, W]` and `[T + 2, W]`."""
        self.language().assign(items, texts)

    def language(self) -> TextEmbedding:
        """Returns what reads vectors of texts.

        Raises:
          ContractError: If the model reads none.
        """
        if self.text is None:
            raise ContractError("expected a model with text_width above 0, received one that reads no texts")
        return self.text

    def item_text(self, ids: Any) -> Any:
        """Returns the `[..., D]` vectors of the texts of `[...]` item ids; 0 without a language model."""
        return self.text.of_items(ids) if self.text else 0.0

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return super().get_config() | {"width": self.width, "sizes": self.sizes, "only_text": self.only_text}
