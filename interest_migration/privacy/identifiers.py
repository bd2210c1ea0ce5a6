"""One text form for identifiers, so that the same user or item is the same in every file.

Numeric columns and text columns meet here: int 900, float 900.0, text "900", " 900 " and "900.0" all become "900".
"007" stays "007", and "1.5" stays "1.5".
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.errors import ContractError

_LARGEST_EXACT_FLOAT = 2.0**53


def as_text(values: pa.Array) -> pa.Array:
    """Returns any scalar column as trimmed text; whole floats lose their `.0`.

    Args:
      values: `[N]` strings, numbers, booleans, decimals, dates or times, or a dictionary of those.

    Raises:
      ContractError: If the column is nested or of another type that has no text form.

    Example:
      [900.0, 1.5, null] -> ["900", "1.5", null].
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        return as_text(values.dictionary).take(values.indices)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view():
        return pc.utf8_trim_whitespace(values.cast(pa.string()))
    if pa.types.is_floating(kind):
        return _floats_as_text(values.cast(pa.float64()))
    try:
        if not pa.types.is_nested(kind):
            return values.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    raise ContractError(f"expected a column of plain values, received {kind}")


def canonical_ids(values: pa.Array) -> pa.Array:
    """Returns identifiers as text that does not depend on the column's type.

    Example:
      ["900.0", " 900", "A-1", "007"] -> ["900", "900", "A-1", "007"].
    """
    return pc.replace_substring_regex(as_text(values), r"^(-?\d+)\.0+$", r"\1")


def _floats_as_text(values: pa.Array) -> pa.Array:
    numbers = values.fill_null(0.5).to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        whole = (np.abs(numbers) < _LARGEST_EXACT_FLOAT) & (np.floor(numbers) == numbers)
    integers = pa.array(np.where(whole, numbers, 0).astype(np.int64)).cast(pa.string())
    return pc.if_else(pa.array(whole), integers, values.cast(pa.string()))
