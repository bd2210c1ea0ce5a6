"""CSV files as raw batches: every value is text, and a bad row spoils itself only."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from interest_migration.errors import DataError
from interest_migration.sources.byte_streams import MARK, ByteStream, Chained, Utf8Text, open_text
from interest_migration.sources.file_sources import CsvOptions
from interest_migration.sources.raw import RawBatch, raw_batch, readable, require_columns
from interest_migration.sources.rejects import Rows

BLOCK_BYTES: Final = 8 << 20
"""What is parsed at a time, and the longest row that can be read."""

_HEAD_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class CsvHead:
    """What stands before the rows.

    Attributes:
      names: Columns of the file, in its order.
      size: Length of the header in (UTF-8) bytes.
      stream: The file, just after the header.
      text: What decodes it.
      empty: Whether there is not even a header.
    """

    names: tuple[str, ...]
    size: int
    stream: ByteStream
    text: Utf8Text
    empty: bool


def read_head(path: str, options: CsvOptions) -> CsvHead:
    """Reads the header of a CSV file, or finds that it has none.

    Raises:
      DataError: If the header is unreadable.
    """
    text = open_text(path, options.encoding)
    data = _skip_blank_lines(text, _HEAD_BYTES)
    while len(data) < _HEAD_BYTES and (more := text.read(_HEAD_BYTES - len(data))):
        data += more
    if not data:
        return CsvHead(options.columns, 0, Chained(data, text), text, empty=True)
    if options.header is False:
        return CsvHead(options.columns, 0, Chained(data, text), text, empty=False)
    size = _record_size(path, data, options)
    found = _parse_record(path, data[:size], options)
    if options.header == "auto" and {name.casefold() for name in found} != {x.casefold() for x in options.columns}:
        return CsvHead(options.columns, 0, Chained(data, text), text, empty=False)
    if options.header == "auto":
        declared = {name.casefold(): name for name in options.columns}
        found = [declared[name.casefold()] for name in found]
    return CsvHead(tuple(found), size, Chained(data[size:], text), text, empty=False)


def read_csv(
    path: str, options: CsvOptions, columns: Sequence[str], start: int = 0, stop: int | None = None, first_row: int = 0
) -> Iterator[RawBatch]:
    """Yields the rows of a CSV file, or of a part of it that starts and ends between lines.

    Args:
      path: File.
      options: How it is written.
      columns: Columns to read.
      start: First byte of the part; 0 is the start of the file, with its header.
      stop: Byte after the part; none is the end of the file.
      first_row: Position of the part's first row in the file.

    Raises:
      DataError: If the file lacks a column or cannot be read.
    """
    with readable(path, f"a CSV file in {options.encoding} with rows below {BLOCK_BYTES >> 20} MiB and quotes closed"):
        head = read_head(path, options)
        if head.empty:
            return
        _check_names(path, columns, head.names, options)
        text = open_text(path, options.encoding, start) if start else head.text
        stream: ByteStream = text if start else head.stream
        if stop is not None:
            stream = Chained(b"", stream, stop - max(start, head.size))
        if first := _skip_blank_lines(stream, BLOCK_BYTES):
            yield from _rows(Chained(first, stream), text, head.names, options, columns, first_row)


def _skip_blank_lines(stream: ByteStream, size: int) -> bytes:
    """Reads on to the first line that is not blank; returns up to `size` bytes from there, none at the end."""
    while data := stream.read(size):
        if data := data.lstrip(b"\r\n"):
            return data
    return b""


def _rows(
    stream: ByteStream,
    text: Utf8Text,
    names: Sequence[str],
    options: CsvOptions,
    columns: Sequence[str],
    first_row: int,
) -> Iterator[RawBatch]:
    broken: list[int] = []

    def skip(row: arrow_csv.InvalidRow) -> str:
        broken.append(first_row + row.number - 1)
        return "skip"

    reader = arrow_csv.open_csv(
        pa.PythonFile(stream, mode="r"),
        read_options=arrow_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, column_names=_distinct(names)),
        parse_options=arrow_csv.ParseOptions(
            delimiter=options.delimiter,
            quote_char=options.quote or False,
            escape_char=options.escape or False,
            newlines_in_values=bool(options.quote),
            invalid_row_handler=skip,
        ),
        convert_options=arrow_csv.ConvertOptions(
            check_utf8=False, column_types=dict.fromkeys(columns, pa.string()), include_columns=list(columns)
        ),
    )
    detail = f"expected {len(names)} columns"
    position, ahead = first_row, np.zeros(0, np.int64)
    for batch in reader:
        # The parser may be ahead of this batch: what it found since the last one is reported now.
        news = _take(broken)
        ahead = np.concatenate([ahead, news])
        rows = position + _positions(batch.num_rows, ahead - position)
        if len(rows):
            position = int(rows[-1]) + 1
            ahead = ahead[ahead >= position]
        values = dict(zip(columns, batch.columns, strict=True))
        yield from raw_batch(values, rows, news, detail, check=text.marked).slices()
    if len(news := _take(broken)):
        yield raw_batch({}, np.zeros(0, np.int64), news, detail)


def _take(found: list[int]) -> Rows:
    """Empties a list to which the parser may add at any time."""
    count = len(found)
    taken = np.array(found[:count], np.int64)
    del found[:count]
    return taken


def _positions(size: int, broken: Rows) -> Rows:
    """Returns the positions of `size` good rows among broken ones, ascending.

    Example:
      3 good rows, broken at 0 and 3 -> positions 1, 2, 4.
    """
    good = np.arange(size, dtype=np.int64)
    return good + np.searchsorted(broken - np.arange(len(broken)), good, side="right")


def _record_size(path: str, data: bytes, options: CsvOptions) -> int:
    """Length of the first record with its line end, and blank lines before it."""
    start = len(data) - len(data.lstrip(b"\r\n"))
    quoted = False
    for place in range(start, len(data)):
        byte = data[place : place + 1]
        if options.quote and byte == options.quote.encode():
            quoted = not quoted
        elif byte in (b"\n", b"\r") and not quoted:
            return place + (2 if data[place : place + 2] == b"\r\n" else 1)
    if len(data) < _HEAD_BYTES:
        return len(data)
    raise DataError(f"{path}: expected a header in the first row, received no end of row in {_HEAD_BYTES} bytes")


def _parse_record(path: str, record: bytes, options: CsvOptions) -> list[str]:
    try:
        reader = csv.reader(
            io.StringIO(record.strip(b"\r\n").decode(), newline=""),
            delimiter=options.delimiter,
            escapechar=options.escape or None,
            quotechar=options.quote or None,
            quoting=csv.QUOTE_MINIMAL if options.quote else csv.QUOTE_NONE,
        )
        names = [name.strip() for name in next(reader)]
    except csv.Error as error:
        raise DataError(
            f"{path}: expected a header, received a first row that is none: {error}; correct the file or set `header`"
        ) from error
    if any(MARK in name for name in names):
        raise DataError(f"{path}: expected a header in {options.encoding}, received other bytes; set `encoding`")
    return names


def _check_names(path: str, columns: Sequence[str], names: Sequence[str], options: CsvOptions) -> None:
    remedy = ""
    if len(names) == 1:
        remedy = f"the first row was not split at {options.delimiter!r}: set `delimiter`"
    require_columns(path, columns, names, remedy, may_be_data=True)
    if twice := sorted(name for name in columns if names.count(name) > 1):
        raise DataError(f"{path}: expected distinct columns, received {', '.join(twice)} more than once")


def _distinct(names: Sequence[str]) -> list[str]:
    """Renames later columns of the same name, which nobody reads."""
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        seen.setdefault(name, place)
    return [name if seen[name] == place else f"{name}\0{place}" for place, name in enumerate(names)]
