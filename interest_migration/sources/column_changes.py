"""How the columns of the newest partition differ from those of the one before it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import pyarrow.parquet as pq

from interest_migration.settings import Settings
from interest_migration.sources.csv_files import read_head
from interest_migration.sources.mapping import SourceMapping, Stream
from interest_migration.sources.partition_settings import Selection
from interest_migration.sources.paths import InputRoot, file_format, resolve_root, stream_files
from interest_migration.sources.raw import readable

Columns = Mapping[str, str]
"""Name -> type; the type of a CSV column is empty."""


class ColumnChange(Settings):
    """One difference.

    Attributes:
      stream: Stream of the mapping.
      column: Name of the column.
      kind: `new`, `gone` or `changed_type`.
      before: Its type in the partition before; empty if it has none.
      now: Its type in the newest partition.
    """

    stream: str
    column: str
    kind: Literal["new", "gone", "changed_type"]
    before: str = ""
    now: str = ""


def find_column_changes(mapping: SourceMapping, input_root: str, selection: Selection) -> tuple[ColumnChange, ...]:
    """Compares the headers of CSV files and the schemas of Parquet files; JSON lines have neither.

    Raises:
      DataError: If a file cannot be read.
    """
    if len(selection.spans) < 2:
        return ()
    root = resolve_root(input_root, selection)
    return tuple(change for stream in mapping.streams for change in _changes(mapping, stream, root, selection))


def _changes(mapping: SourceMapping, stream: Stream, root: InputRoot, selection: Selection) -> Iterator[ColumnChange]:
    files: dict[int, list[str]] = {span: [] for span in selection.spans[-2:]}
    for path in stream_files(mapping, stream.name, root):
        found = selection.spans_of.find(Path(path).relative_to(root.folder).as_posix())
        if found and found[0] in files:
            files[found[0]].append(path)
    before, now = (_columns(stream, paths) for paths in files.values())
    if not before or not now:
        return
    for name in sorted({*before, *now}):
        first, second = before.get(name), now.get(name)
        if first is None:
            yield ColumnChange(stream=stream.name, column=name, kind="new", now=second or "")
        elif second is None:
            yield ColumnChange(stream=stream.name, column=name, kind="gone", before=first)
        elif first != second:
            yield ColumnChange(stream=stream.name, column=name, kind="changed_type", before=first, now=second)


def _columns(stream: Stream, paths: list[str]) -> Columns:
    """Columns of several files together; one that has several types has them all, as `double or string`."""
    found: dict[str, set[str]] = {}
    for path in paths:
        for name, kind in _read_columns(stream, path).items():
            found.setdefault(name, set()).add(kind)
    return {name: " or ".join(sorted(kinds)) for name, kinds in found.items()}


def _read_columns(stream: Stream, path: str) -> Columns:
    kind = file_format(stream, path)
    if kind == "parquet":
        with readable(path, "a complete Parquet file"):
            return {field.name: str(field.type) for field in pq.read_schema(path)}
    return dict.fromkeys(read_head(path, stream.csv).names, "") if kind == "csv" else {}
