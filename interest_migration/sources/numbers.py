"""Numbers from any column."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.sources.distinct import null_mask, null_where, text_or_null
from interest_migration.sources.rejects import Mask

Numbers = npt.NDArray[np.float64]

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_NOT_A_NUMBER = r"^[+-]?(?i:nan)(\(\w*\))?$"


def parse_numbers(
    values: pa.Array, null_values: Sequence[str], decimal: str = ".", remove: str = ""
) -> tuple[Numbers, Mask]:
    """Parses a column of numbers or of texts.

    Args:
      values: `[N]`, numbers or text.
      null_values: Texts that mean "no value".
      decimal: Decimal mark in text.
      remove: Characters to take out of text.

    Returns:
      `[N]` numbers, NaN where there is none, and `[N]` the rows that hold something that is no finite number.

    Example:
      ["1.5", "", "x", "inf"] -> [1.5, nan, nan, nan], [False, False, True, True].
    """
    numbers, bad = _parse(values, null_values, decimal, remove)
    bad |= np.isinf(numbers)
    numbers[bad] = np.nan
    return numbers, bad


def _parse(values: pa.Array, null_values: Sequence[str], decimal: str, remove: str) -> tuple[Numbers, Mask]:
    kind = values.type
    if pa.types.is_dictionary(kind):
        numbers, bad = _parse(values.dictionary, null_values, decimal, remove)
        places = values.indices.cast(pa.int64()).fill_null(len(numbers)).to_numpy(zero_copy_only=False)
        return np.append(numbers, np.nan)[places], np.append(bad, False)[places]
    none_bad = np.zeros(len(values), np.bool_)
    if pa.types.is_null(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _as_floats(values), none_bad
    if not pa.types.is_string(kind):
        missing = null_mask(values)
        return np.full(len(values), np.nan), ~missing
    if decimal == "." and not remove:
        try:
            return _as_floats(values), none_bad
        except pa.ArrowInvalid:
            pass  # some value is no number: find out which
    return _parse_text(text_or_null(values, null_values), decimal, remove)


def _parse_text(text: pa.Array, decimal: str, remove: str) -> tuple[Numbers, Mask]:
    if remove:
        text = pc.utf8_trim_whitespace(pc.replace_substring_regex(text, f"[{re.escape(remove)}]", ""))
    if decimal != ".":
        text = pc.replace_substring(text, decimal, ".")
    # Arrow's parser, which files without a bad number meet, reads these as NaN, which is no value here.
    text = null_where(text, pc.match_substring_regex(text, _NOT_A_NUMBER))
    good = pc.match_substring_regex(text, _NUMBER)
    numbers = _as_floats(null_where(text, pc.invert(good)))
    return numbers, pc.invert(good).fill_null(False).to_numpy(zero_copy_only=False)


def _as_floats(values: pa.Array) -> Numbers:
    floats = values.cast(pa.float64(), safe=False)
    return np.array(floats.fill_null(np.nan).to_numpy(zero_copy_only=False), np.float64)
