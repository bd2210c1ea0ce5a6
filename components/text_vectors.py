"""Vectors of texts, written into the transform graph: what belongs to a vocabulary lies beside it."""

from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
import tensorflow_transform as tft
from absl import logging

from components.ingestion import ITEM_TEXTS
from interest_migration.errors import DataError
from interest_migration.examples.texts import choose_item_texts
from interest_migration.language.settings import LanguageSettings
from interest_migration.language.text_encoder import TextEncoder
from interest_migration.language.text_vectors import TEXT_VECTORS_FILE, make_text_vectors
from interest_migration.training.base import vocabulary_values
from interest_migration.transform.vocabularies import ITEMS, TEXTS

LANGUAGE: Final = "language"
"""Key in the Transform's `custom_config`: values of `LanguageSettings`; without it there are no vectors."""

VECTOR_CACHE: Final = "vector_cache"
"""Likewise: folder where vectors are kept between runs; by default the transform graph's own, which ends with it."""


def write_text_vectors(examples: str, transform_graph: str, config: dict[str, Any]) -> None:
    """Embeds the texts of the vocabularies, if a language model is configured.

    Args:
      examples: Folder of an ingestion with `item_texts`.
      transform_graph: Folder of the transform graph; receives `text_vectors.npz`.
      config: The Transform's `custom_config`.

    Raises:
      DataError: If ingestion wrote no texts of items.
      InputError: If the language model cannot be loaded.
    """
    if not config.get(LANGUAGE):
        return
    encoder = TextEncoder.load(LanguageSettings.from_values(config[LANGUAGE], source="custom_config language"))
    vocabularies = tft.TFTransformOutput(transform_graph)
    items, texts = (
        vocabulary_values(Path(vocabularies.vocabulary_file_by_name(name)).read_bytes()) for name in (ITEMS, TEXTS)
    )
    cache = Path(config.get(VECTOR_CACHE) or f"{transform_graph}/.vectors")
    vectors = make_text_vectors(encoder, items, texts, read_item_texts(Path(examples)), cache, logging.info)
    vectors.save(Path(transform_graph) / TEXT_VECTORS_FILE)


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
