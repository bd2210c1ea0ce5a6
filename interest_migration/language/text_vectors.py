"""Vectors of the texts of a vocabulary, by id: what the model keeps of a language model."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.language.vector_cache import Encoder, embed_cached
from interest_migration.storage.atomic import replacing

TEXT_VECTORS_FILE: Final = "text_vectors.npz"
"""Name of the file in the transform graph."""

Vectors = npt.NDArray[np.float16]


@dataclass(frozen=True)
class TextVectors:
    """Vectors by id; rows 0 (none) and V + 1 (unknown) are zero, as are those of values without a text.

    Attributes:
      items: `[V + 2, W]` of the texts of the items.
      texts: `[T + 2, W]` of the texts of searches, messages and reviews.
      digest: Of the encoder: vectors of different digests have nothing to do with each other.
    """

    items: Vectors
    texts: Vectors
    digest: str

    @property
    def width(self) -> int:
        """W."""
        return int(self.items.shape[1])

    def save(self, path: Path) -> None:
        """Writes the vectors."""
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, items=self.items, texts=self.texts, digest=np.array(self.digest))

    @classmethod
    def load(cls, file: Any) -> Self:
        """Reads what `save` wrote, from a path or an open file."""
        with np.load(file, allow_pickle=False) as found:
            return cls(found["items"], found["texts"], str(found["digest"]))


def make_text_vectors(
    encoder: Encoder,
    items: pa.Array,
    texts: pa.Array,
    item_texts: pa.Table,
    cache: Path,
    report: Callable[[str], None] = lambda _: None,
) -> TextVectors:
    """Embeds every different text of a vocabulary once.

    Args:
      encoder: The language model.
      items: `[V]` binary, the vocabulary of items in the order of ids.
      texts: `[T]` binary, the vocabulary of texts.
      item_texts: Columns `item` and `text`, one row per item.
      cache: Where vectors are kept between runs.
      report: Receives lines on progress.

    Example:
      items [tea], item_texts tea "green tea" -> rows zero, vector of "green tea", zero.
    """
    both = pa.concat_arrays([texts_of_items(items, item_texts), texts.cast(pa.string())])
    vectors = embed_cached(encoder, both, cache, report).astype(np.float16)
    return TextVectors(_by_id(vectors[: len(items)]), _by_id(vectors[len(items) :]), encoder.digest)


def texts_of_items(items: pa.Array, item_texts: pa.Table) -> pa.Array:
    """Returns `[V]` the text of every item of a vocabulary, empty where it has none."""
    places = pc.index_in(items.cast(pa.string()), value_set=item_texts["item"].combine_chunks())
    return pc.fill_null(item_texts["text"].combine_chunks().take(places), "").cast(pa.string())


def _by_id(vectors: Vectors) -> Vectors:
    return np.pad(vectors, [(1, 1), (0, 0)])
