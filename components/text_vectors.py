"""Vectors of texts, written into the transform graph: what belongs to a vocabulary lies beside it."""

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow_transform as tft
from absl import logging

from interest_migration.errors import DataError
from interest_migration.examples.texts import ITEM_TEXTS, choose_item_texts
from interest_migration.language.finetune import finetune
from interest_migration.language.item_pairs import pair_items
from interest_migration.language.settings import LanguageSettings, LoraSettings
from interest_migration.language.text_encoder import TextEncoder
from interest_migration.language.text_vectors import TEXT_VECTORS_FILE, make_text_vectors, texts_of_items
from interest_migration.ragged import read_examples
from interest_migration.training.base import vocabulary_values
from interest_migration.training.followers import TRANSITION_SPECS
from interest_migration.transform.vocabularies import ITEMS, TEXTS

LANGUAGE: Final = "language"
"""Key in the Transform's `custom_config`: values of `LanguageSettings`; without it there are no vectors."""

ADAPTER_FILE: Final = "language_adapter.npz"
"""In the transform graph: what tuning changed in the language model."""

VECTOR_CACHE: Final = "vector_cache"
"""Likewise: folder where vectors are kept between runs; by default the transform graph's own, which ends with it."""


def write_text_vectors(examples: str, transformed: str, transform_graph: str, config: dict[str, Any]) -> None:
    """Embeds the texts of the vocabularies, if a language model is configured; tunes it before, if its `lora` says so.

    Args:
      examples: Folder of an ingestion with `item_texts`.
      transformed: Folder of the transformed examples; tuning reads their train split.
      transform_graph: Folder of the transform graph; receives `text_vectors.npz`, and the adapter of a tuned model.
      config: The Transform's `custom_config`.

    Raises:
      DataError: If ingestion wrote no texts of items.
      InputError: If the language model cannot be loaded.
    """
    if not config.get(LANGUAGE):
        return
    settings = LanguageSettings.from_values(config[LANGUAGE], source="custom_config language")
    encoder = TextEncoder.load(settings)
    vocabularies = tft.TFTransformOutput(transform_graph)
    items, texts = (
        vocabulary_values(Path(vocabularies.vocabulary_file_by_name(name)).read_bytes()) for name in (ITEMS, TEXTS)
    )
    item_texts = read_item_texts(Path(examples))
    if settings.lora.rank:
        encoder = _tune(encoder, settings.lora, texts_of_items(items, item_texts), Path(transformed))
    if encoder.adapter:
        encoder.save_adapter(Path(transform_graph) / ADAPTER_FILE)
    cache = Path(config.get(VECTOR_CACHE) or f"{transform_graph}/.vectors")
    vectors = make_text_vectors(encoder, items, texts, item_texts, cache, logging.info)
    vectors.save(Path(transform_graph) / TEXT_VECTORS_FILE)


def _tune(encoder: TextEncoder, settings: LoraSettings, texts: pa.Array, transformed: Path) -> TextEncoder:
    train = read_examples([str(path) for path in transformed.glob("Split-train/*")], TRANSITION_SPECS)
    return finetune(encoder, texts, pair_items(train, len(texts)), settings, logging.info)


def read_item_texts(examples: Path) -> Any:
    """Returns the text of every item of an ingestion, columns `item` and `text`.

    Raises:
      DataError: If it wrote none.
    """
    files = sorted((examples / ITEM_TEXTS).glob("*.parquet"))
    if not files:
        raise DataError(
            f"expected texts of items in {examples / ITEM_TEXTS}, found none; run ingestion with examples.item_texts"
        )
    return choose_item_texts([pq.read_table(file) for file in files])
