"""Work on the distinct values of a column instead of on its rows."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.errors import ContractError
from interest_migration.privacy.identifiers import as_text
from interest_migration.sources.rejects import Mask


def encode(values: pa.Array) -> pa.DictionaryArray:
    """Returns a column as indices into its distinct values.

    Raises:
      ContractError: If the column is nested.
    """
    if pa.types.is_dictionary(values.type):
        return values
    try:
        return values.dictionary_encode()
    except pa.ArrowNotImplementedError as error:
        raise ContractError(f"expected a column of plain values, received {values.type}") from error


def map_distinct(values: pa.Array, function: Callable[[pa.Array], pa.Array]) -> pa.DictionaryArray:
    """Applies a function to the distinct values of a column.

    Args:
      values: `[N]` of any type.
      function: Distinct values to as many new ones; null makes the rows null.

    Returns:
      `[N]` dictionary whose values are distinct, and not null.

    Example:
      ["a", " a", null] with a function that trims -> indices [0, 0, null] into ["a"].
    """
    encoded = encode(values)
    mapped = function(encoded.dictionary).dictionary_encode()
    return pa.DictionaryArray.from_arrays(mapped.indices.take(encoded.indices), mapped.dictionary)


def text_or_null(
    values: pa.Array, null_values: Sequence[str], convert: Callable[[pa.Array], pa.Array] = as_text
) -> pa.Array:
    """Returns trimmed text; blank texts and `null_values` become null."""
    text = convert(values)
    empty = pc.is_in(text, pa.array(["", *null_values], pa.string()))
    return null_where(text, empty)


def null_where(values: pa.Array, mask: pa.Array | Mask) -> pa.Array:
    """Returns the column with nulls where the mask is true.

    Not `pc.if_else` with a null scalar: in Arrow 18 that reads the wrong bytes of sliced text.
    """
    return pc.replace_with_mask(
        values, mask if isinstance(mask, pa.Array) else pa.array(mask), pa.scalar(None, values.type)
    )


def repeat(value: str, size: int) -> pa.DictionaryArray:
    """Returns the same text `size` times."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), pa.array([value], pa.string()))


def spread(flags: Sequence[bool], encoded: pa.DictionaryArray) -> Mask:
    """Returns `[N]`, for each row the flag of its distinct value; false where null."""
    return np.array([*flags, False], np.bool_)[index_or(encoded.indices, len(flags))]


def index_or(indices: pa.Array, default: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Returns `[N]` positions, `default` where null."""
    return indices.cast(pa.int64()).fill_null(default).to_numpy(zero_copy_only=False)


def null_mask(values: pa.Array) -> Mask:
    """Returns `[N]`, the rows without a value."""
    if values.null_count == 0:
        return np.zeros(len(values), np.bool_)
    return values.is_null().to_numpy(zero_copy_only=False)
