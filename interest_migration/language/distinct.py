"""Each different text once."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def distinct_texts(texts: pa.Array | Sequence[str | None]) -> tuple[list[str], np.ndarray]:
    """Returns the different texts and, for every text, the number of its own; spaces around a text do not count.

    Example:
      ["a", None, " a "] -> ["a", ""], [0, 1, 0].
    """
    column = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(texts, pa.string())
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    trimmed = pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.large_string()), ""))
    encoded = trimmed.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy(zero_copy_only=False)
