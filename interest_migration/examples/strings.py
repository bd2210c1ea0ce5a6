"""Columns of strings as codes into a sorted dictionary.

    ["tea", null, "milk", "tea"]  ->  codes [2, 0, 1, 2], values [b"", b"milk", b"tea"]

Code 0 is "none" (null or empty) everywhere. Codes grow with the strings, so sorting by code is sorting by name, and is
the same for whatever order the strings arrived in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_DICTIONARY: Final = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Codes:
    """Strings as codes.

    Attributes:
      codes: `[N]` int32, index into `values`.
      values: `[V]` large_binary, ascending and distinct; the first is empty.
    """

    codes: npt.NDArray[np.int32]
    values: pa.LargeBinaryArray

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def size(self) -> int:
        """V, number of distinct strings with the empty one."""
        return len(self.values)

    def subset(self, rows: npt.NDArray[np.int64]) -> "Codes":
        """Returns the given rows, with the same values."""
        return Codes(self.codes[rows], self.values)

    def decode(self, rows: npt.NDArray[np.int64]) -> pa.LargeBinaryArray:
        """Returns the strings of the given rows."""
        return self.values.take(pa.array(self.codes[rows]))


def encode_strings(chunks: Sequence[pa.Array]) -> Codes:
    """Encodes plain or dictionary-encoded strings, chunks of both kinds and with different dictionaries included."""
    whole = pa.chunked_array([as_dictionary(chunk) for chunk in chunks], _DICTIONARY).unify_dictionaries()
    dictionary = _dictionary_of(whole)
    codes = np.concatenate(
        [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in whole.chunks]
        or [np.empty(0, np.int32)]
    )
    used = np.bincount(codes[codes >= 0], minlength=len(dictionary)) > 0
    used &= pc.greater(pc.binary_length(dictionary), 0).to_numpy(zero_copy_only=False)
    kept = np.flatnonzero(used)
    names = dictionary.take(pa.array(kept))
    order = pc.sort_indices(names)
    ranks = np.zeros(len(dictionary) + 1, np.int32)  # the last entry answers index -1, which stands for null
    ranks[kept[order.to_numpy()]] = np.arange(1, len(kept) + 1)
    return Codes(ranks[codes], pa.concat_arrays([pa.array([b""], pa.large_binary()), names.take(order)]))


def as_dictionary(strings: pa.Array) -> pa.DictionaryArray:
    """Returns strings dictionary-encoded with int32 codes, whatever their form."""
    if not pa.types.is_dictionary(strings.type):
        return strings.cast(pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(strings.indices.cast(pa.int32()), strings.dictionary.cast(pa.string()))


def _dictionary_of(column: pa.ChunkedArray) -> pa.LargeBinaryArray:
    if not column.num_chunks:
        return pa.array([], pa.large_binary())
    return column.chunk(0).dictionary.cast(pa.large_binary()).fill_null(b"")
