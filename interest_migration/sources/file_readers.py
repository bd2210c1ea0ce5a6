"""One way to read a file, whatever its format, its encoding and the spelling of its columns."""

import atexit
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from interest_migration.sources.byte_streams import open_text
from interest_migration.sources.column_names import find_columns
from interest_migration.sources.csv_files import read_csv, read_head
from interest_migration.sources.file_sources import FileFormat, FileSource
from interest_migration.sources.jsonl_files import read_jsonl
from interest_migration.sources.parquet_files import read_parquet
from interest_migration.sources.python_lines import parse_line
from interest_migration.sources.raw import RawBatch, readable

_HEAD_BYTES: Final = 1 << 20
_SCAN_BYTES: Final = 4 << 20


@dataclass(frozen=True)
class Part:
    """A part of a file: row groups of Parquet, bytes of text.

    Attributes:
      start: First row group or byte.
      stop: The one after the last; none is the end of the file.
      first_row: Position of the part's first row in the file.
    """

    start: int = 0
    stop: int | None = None
    first_row: int = 0


WHOLE_FILE: Final = Part()


def read_raw(
    source: FileSource,
    path: str,
    file_format: FileFormat,
    columns: Sequence[str],
    required: Sequence[str],
    nested: Collection[str] = (),
    part: Part = WHOLE_FILE,
) -> Iterator[RawBatch]:
    """Reads one file, or a part of it.

    Args:
      source: How the file is written.
      path: File.
      file_format: Its format.
      columns: Columns to read; CSV and Parquet files must have them all. The batches have these names, whatever names
        the file has for them.
      required: Those that the first lines of a JSON-lines file must show, too.
      nested: Columns in which a JSON-lines file may have lists and objects.
      part: What to read of it.

    Raises:
      DataError: If the file cannot be read or lacks a column.
    """
    source = settle_encoding(source, path, file_format)
    names = find_columns(columns, file_columns(source, path, file_format), source.aliases)
    wanted = list(dict.fromkeys(names.values()))
    needed = [names.get(name, name) for name in required]
    where = (part.start, part.stop, part.first_row)
    if file_format == "parquet":
        batches = read_parquet(path, wanted, *where)
    elif file_format == "csv":
        _wait_at_exit()
        batches = read_csv(path, source.csv, wanted, *where)
    else:
        nested = {names.get(name, name) for name in nested}
        batches = read_jsonl(path, source.csv.encoding, wanted, needed, nested, *where)
    for batch in batches:
        found = {name: batch.columns[own] for name, own in names.items() if own in batch.columns}
        yield replace(batch, columns=found)


def file_columns(source: FileSource, path: str, file_format: FileFormat) -> tuple[str, ...]:
    """Returns the columns of a file; of JSON lines, the keys in its first megabyte.

    Raises:
      DataError: If the file cannot be read.
    """
    with readable(path, f"a complete {file_format} file"):
        if file_format == "parquet":
            return tuple(pq.read_schema(path).names)
        if file_format == "csv":
            return read_head(path, source.csv).names
        text, data = open_text(path, source.csv.encoding), b""
        while len(data) < _HEAD_BYTES and (more := text.read(_HEAD_BYTES - len(data))):
            data += more
    objects = [value for line in data.split(b"\n") if isinstance(value := parse_line(line), dict)]
    return tuple(dict.fromkeys(key for value in objects for key in value))


def settle_encoding(source: FileSource, path: str, file_format: FileFormat) -> FileSource:
    """Decides between `encoding` and `fallback_encoding` of a text file, by all of its bytes."""
    csv = source.csv
    if file_format == "parquet" or csv.fallback_encoding is None:
        return source
    state = Path(path).stat()
    if _decodes(path, csv.encoding, state.st_size, state.st_mtime_ns):
        return source
    return source.model_copy(update={"csv": csv.model_copy(update={"encoding": csv.fallback_encoding})})


@lru_cache(maxsize=256)
def _decodes(path: str, encoding: str, size: int, modified_ns: int) -> bool:
    del size, modified_ns  # only part of what the cache goes by
    with readable(path, "a readable file"):
        text = open_text(path, encoding)
        while text.read(_SCAN_BYTES):
            if text.marked:
                return False
    return not text.marked


@lru_cache(maxsize=1)
def _wait_at_exit() -> None:
    """Lets Arrow's threads finish before Python ends.

    One that still lets go of a CSV reader while Python shuts down aborts the process ("terminate called without an
    active exception"): so ended most processes that did nothing but read a small file.
    """
    atexit.register(time.sleep, 0.1)
