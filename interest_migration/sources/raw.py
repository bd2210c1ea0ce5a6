"""What the file readers hand over: columns as they are in the file, and where each row was."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from lzma import LZMAError
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.errors import DataError
from interest_migration.sources.byte_streams import MARK
from interest_migration.sources.distinct import null_where
from interest_migration.sources.rejects import Mask, Rows

MAX_BATCH_ROWS: Final = 262_144

_ABOUT_THE_FILE: Final = re.compile("Parquet|straddling")
_QUOTE: Final = re.compile(r"""[:'"`(#\d]""")


@dataclass(frozen=True)
class RawBatch:
    """Up to `MAX_BATCH_ROWS` rows of one file.

    Attributes:
      columns: Name -> `[N]` array; text is valid UTF-8 strings, other types are as in the file.
      rows: `[N]` position of each row in its file, 0 the first.
      undecodable: `[N]` rows with undecodable bytes; those values are null.
      broken: `[M]` positions of rows that could not be read at all; they are in no column.
      broken_detail: What was wrong with them.
    """

    columns: Mapping[str, pa.Array]
    rows: Rows
    undecodable: Mask
    broken: Rows
    broken_detail: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    def slices(self) -> Iterator["RawBatch"]:
        """Yields the batch in parts of at most `MAX_BATCH_ROWS` rows; the first has the broken rows."""
        for start in range(0, max(len(self), 1), MAX_BATCH_ROWS):
            part = slice(start, start + MAX_BATCH_ROWS)
            yield replace(
                self,
                columns={name: column[part] for name, column in self.columns.items()},
                rows=self.rows[part],
                undecodable=self.undecodable[part],
                broken=self.broken if start == 0 else self.broken[:0],
            )


def raw_batch(
    columns: Mapping[str, pa.Array], rows: Rows, broken: Iterable[int] = (), detail: str = "", check: bool = True
) -> RawBatch:
    """Builds a batch; checks its texts unless the reader knows that they are good."""
    undecodable = np.zeros(len(rows), np.bool_)
    checked = dict(columns)
    for name, column in columns.items() if check else ():
        checked[name], bad = check_text(column)
        if bad is not None:
            undecodable |= bad
    return RawBatch(checked, rows, undecodable, np.fromiter(broken, np.int64), detail)


def check_text(column: pa.Array) -> tuple[pa.Array, Mask | None]:
    r"""Returns a column with texts as UTF-8 strings, null where they could not be decoded, and the mask of those.

    Example:
      [b"ok", b"\xff"] -> ["ok", null], [False, True].
    """
    if pa.types.is_dictionary(column.type):
        values, bad = check_text(column.dictionary)
        if bad is not None:
            return check_text(column.cast(column.type.value_type))
        return pa.DictionaryArray.from_arrays(column.indices, values), None
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return _check_lists(column)
    if not _holds_text(column.type):
        return column, None
    binary = column.cast(pa.binary())
    try:
        text, bad = binary.cast(pa.string()), np.zeros(len(binary), np.bool_)
    except pa.ArrowInvalid:
        bad = _undecodable(binary)
        text = null_where(binary, bad).cast(pa.string())
    bad |= pc.match_substring(text, MARK).fill_null(False).to_numpy(zero_copy_only=False)
    return (null_where(text, bad), bad) if bad.any() else (text, None)


def _check_lists(column: pa.Array) -> tuple[pa.Array, Mask | None]:
    """Checks the texts in lists; a list with a bad one becomes null."""
    if not _holds_text(column.type.value_type):
        return column, None
    texts, bad_texts = check_text(column.flatten())
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    bad = np.zeros(len(column), np.bool_)
    if bad_texts is not None:
        bad = np.diff(np.concatenate([[0], np.cumsum(bad_texts)])[offsets]) > 0
    none = pa.array(bad | column.is_null().to_numpy(zero_copy_only=False))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), texts, mask=none), bad


def _holds_text(kind: pa.DataType) -> bool:
    types = pa.types
    tests = (
        *(types.is_string, types.is_large_string, types.is_binary, types.is_large_binary),
        types.is_fixed_size_binary,
    )
    return any(test(kind) for test in tests) or kind in (pa.string_view(), pa.binary_view())


def _undecodable(binary: pa.Array) -> Mask:
    """Decodes one by one only the values that have a byte above 127."""
    offsets = np.frombuffer(binary.buffers()[1], np.int32)[binary.offset : binary.offset + len(binary) + 1]
    data = np.frombuffer(binary.buffers()[2], np.uint8)
    high = offsets[0] + np.flatnonzero(data[offsets[0] : offsets[-1]] >= 128)
    bad = np.zeros(len(binary), np.bool_)
    for row in np.unique(np.searchsorted(offsets, high, side="right") - 1):
        value = binary[int(row)].as_py()
        bad[row] = value is not None and not _is_utf8(value)
    return bad


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def require_columns(
    path: str, wanted: Sequence[str], found: Sequence[str], remedy: str = "", *, may_be_data: bool = False
) -> None:
    """Checks that a file has the columns that the mapping names.

    Args:
      path: File.
      wanted: Columns that the mapping names.
      found: Columns of the file.
      remedy: What to do.
      may_be_data: Whether `found` is the first row of a file that perhaps has no header, and so may hold a user id.

    Raises:
      DataError: Naming the missing columns, those found, and similar names.
    """
    missing = [name for name in wanted if name not in found]
    if not missing:
        return
    folded = {name.casefold(): name for name in found}
    if may_be_data and found and folded.keys().isdisjoint(name.casefold() for name in wanted):
        raise DataError(
            f"{path}: expected the columns {', '.join(map(repr, missing))} that the mapping names, received "
            f"{len(found)} others in the first row (is it a header?); {remedy or 'correct the mapping or the file'}"
        )
    near = {name: get_close_matches(name.casefold(), folded, 1) for name in missing}
    hints = [f"did you mean {folded[match[0]]!r} for {name!r}?" for name, match in near.items() if match]
    raise DataError(
        f"{path}: expected the columns {', '.join(map(repr, missing))} that the mapping names, "
        f"received {_describe_columns(found)}; {' '.join([*hints, remedy or 'correct the mapping or the file'])}"
    )


def _describe_columns(found: Sequence[str]) -> str:
    """Lists names; but not what seems to be a row of data, since that may hold user ids."""
    if any(not name or name[0].isdigit() or len(name) > 60 or "@" in name for name in found):
        return f"{len(found)} columns whose names look like data (is there no header?)"
    return ", ".join(found) or "none"


@contextmanager
def readable(path: str, expectation: str) -> Iterator[None]:
    """Turns what libraries raise while reading `path` into one DataError that names file, expectation and cause."""
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, LZMAError, UnicodeError, MemoryError) as error:
        # Not `from error`: messages of Arrow quote rows, and those are shown in the traceback of the log.
        raise DataError(
            f"{path}: expected {expectation}, received: {safe_cause(error)}; check that the file is complete "
            "and that the mapping gives its format"
        ) from None


def safe_cause(error: Exception) -> str:
    """Returns what a library says of a file, without what it may quote from it, which may be a user id.

    Example:
      CSV parse error: Expected 6 columns, got 2: 900,tea -> CSV parse error.
    """
    if isinstance(error, UnicodeError):
        return "text in another encoding"
    if cause := getattr(error, "strerror", None):
        return str(cause)
    text = str(error).split("\n")[0][:200]
    known = text if _ABOUT_THE_FILE.search(text) else _QUOTE.split(text)[0].strip()
    return known or type(error).__name__
