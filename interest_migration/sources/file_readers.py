"""One way to read a file, whatever its format."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from interest_migration.sources.csv_files import read_csv
from interest_migration.sources.file_sources import FileFormat, FileSource
from interest_migration.sources.jsonl_files import read_jsonl
from interest_migration.sources.parquet_files import read_parquet
from interest_migration.sources.raw import RawBatch


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
      columns: Columns to read; CSV and Parquet files must have them all.
      required: Those that the first lines of a JSON-lines file must show, too.
      nested: Columns in which a JSON-lines file may have lists and objects.
      part: What to read of it.

    Raises:
      DataError: If the file cannot be read or lacks a column.
    """
    where = (part.start, part.stop, part.first_row)
    if file_format == "parquet":
        return read_parquet(path, columns, *where)
    if file_format == "csv":
        return read_csv(path, source.csv, columns, *where)
    return read_jsonl(path, source.csv.encoding, columns, required, nested, *where)
