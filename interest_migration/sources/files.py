"""What there is to read: pieces of work, and a fingerprint of the bytes."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from interest_migration.errors import DataError
from interest_migration.sources.fields import CategoryField
from interest_migration.sources.file_readers import WHOLE_FILE, Part
from interest_migration.sources.file_sources import FileFormat, FileSource
from interest_migration.sources.line_ranges import split_lines
from interest_migration.sources.mapping import SourceMapping, Stream
from interest_migration.sources.partition_settings import Selection
from interest_migration.sources.partition_times import PartitionTimes
from interest_migration.sources.paths import (
    InputRoot,
    file_format,
    resolve_root,
    source_files,
    stream_files,
    tree_files,
)
from interest_migration.sources.raw import readable

PIECE_ROWS: Final = 1 << 20
"""Row groups of a Parquet file are put together up to about this many rows."""

_READ_BYTES: Final = 4 << 20


@dataclass(frozen=True)
class Piece:
    """One unit of reading; it travels to a worker, so it says everything that the mapping does not.

    Attributes:
      stream: Name of the stream.
      path: File.
      format: Its format.
      part: Which part of it.
      lookups: For each join of the stream, the files of its table.
      tree: Files of the stream's category tree.
      times: Which times are expected in it, where the log lies in dated partitions.
    """

    stream: str
    path: str
    format: FileFormat
    part: Part = WHOLE_FILE
    lookups: tuple[tuple[str, ...], ...] = ()
    tree: tuple[str, ...] = ()
    times: PartitionTimes | None = None


def plan_pieces(mapping: SourceMapping, input_root: str, selection: Selection | None = None) -> list[Piece]:
    """Lists what is to be read, always in the same order.

    Large uncompressed CSV and JSON-lines files are cut between lines where that is certainly right; Parquet files
    between row groups. Everything else is one piece per file, read in bounded batches all the same.

    Args:
      mapping: The source mapping.
      input_root: Folder, file, glob, or `package:NAME/FOLDER`.
      selection: Which dated partitions are read; none reads every file.

    Raises:
      DataError: If there is nothing to read or a file is damaged.
    """
    root = resolve_root(input_root, selection)
    pieces = [piece for stream in mapping.streams for piece in _stream_pieces(mapping, stream, root)]
    if not pieces:
        raise DataError(f"expected files for a stream in {root.folder}, received none, not even optional ones")
    return pieces


@dataclass(frozen=True)
class Fingerprints:
    """What an input's bytes are.

    Attributes:
      whole: 32 hexadecimal digits that change when the input changes.
      spans: Span -> the same for its partition, where the log lies in partitions.
    """

    whole: str
    spans: dict[int, str]


def fingerprint(mapping: SourceMapping, input_root: str, selection: Selection | None = None) -> str:
    """Returns `fingerprints(...).whole`."""
    return fingerprints(mapping, input_root, selection).whole


def fingerprints(mapping: SourceMapping, input_root: str, selection: Selection | None = None) -> Fingerprints:
    """Returns digests that change when the input changes.

    They cover the names below the input, sizes and every byte (BLAKE2b, about a second per gigabyte) of all files of
    streams and tables. Sampling the bytes would be faster and could miss a change; modification times would be faster
    still, and differ between copies of the same data. A file that the user chose by name counts without its name.

    Raises:
      DataError: If there is nothing to read.
    """
    root = resolve_root(input_root, selection)
    whole = hashlib.blake2b(digest_size=16)
    spans = {span: hashlib.blake2b(digest_size=16) for span in (selection.spans if selection else ())}
    for role, path in _all_files(mapping, root):
        name = "" if path in root.chosen else Path(path).relative_to(root.folder).as_posix()
        entry = json.dumps([role, name, Path(path).stat().st_size, _content_digest(path)]).encode()
        whole.update(entry)
        found = selection.spans_of.find(name) if selection else None
        if found:
            spans[found[0]].update(entry)
    return Fingerprints(whole.hexdigest(), {span: digest.hexdigest() for span, digest in spans.items()})


def _stream_pieces(mapping: SourceMapping, stream: Stream, root: InputRoot) -> Iterator[Piece]:
    lookups = tuple(
        tuple(source_files(join, root, f"join {number} of stream {stream.name!r}"))
        for number, join in enumerate(stream.joins)
    )
    tree = tuple(tree_files(stream.fields.category_path, root, f"stream {stream.name!r}"))
    paths = stream_files(mapping, stream.name, root)
    if paths and not any(Path(path).stat().st_size for path in paths):
        raise DataError(f"expected rows for stream {stream.name!r}, received only empty files: {', '.join(paths)}")
    for path in paths:
        kind = file_format(stream, path)
        times = _times(stream, path, root)
        for part in _parts(stream, path, kind):
            yield Piece(stream.name, path, kind, part, lookups, tree, times)


def _times(stream: Stream, path: str, root: InputRoot) -> PartitionTimes | None:
    if root.selection is None:
        return None
    return root.selection.times(Path(path).relative_to(root.folder).as_posix(), stream.fields.time.timezone)


def _parts(source: FileSource, path: str, kind: FileFormat) -> list[Part]:
    if kind != "parquet":
        return split_lines(source, path, kind)
    with readable(path, "a complete Parquet file"):
        metadata = pq.read_metadata(path)
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    bounds, rows_before = [0], [0]
    rows = 0
    for group, size in enumerate(sizes):
        if rows - rows_before[-1] and rows - rows_before[-1] + size > PIECE_ROWS:
            bounds.append(group)
            rows_before.append(rows)
        rows += size
    return [
        Part(start, stop, before)
        for (start, stop), before in zip(pairwise([*bounds, len(sizes)]), rows_before, strict=True)
    ]


def absent_files(mapping: SourceMapping, input_root: str, selection: Selection | None = None) -> list[str]:
    """Says which optional files of a mapping are not there, a line each.

    Raises:
      DataError: If files that are not optional are missing.
    """
    root = resolve_root(input_root, selection)
    return [
        f"{role} is optional and absent: nothing in {root.folder} is named {', '.join(source.files)}"
        for role, source, paths in _all_sources(mapping, root)
        if not paths
    ]


def _all_files(mapping: SourceMapping, root: InputRoot) -> Iterator[tuple[str, str]]:
    """Yields role and path of every file that the mapping reads."""
    for role, _, paths in _all_sources(mapping, root):
        for path in paths:
            yield role, path


def _all_sources(mapping: SourceMapping, root: InputRoot) -> Iterator[tuple[str, FileSource, list[str]]]:
    """Yields role, settings and files of every stream and table."""
    for stream in mapping.streams:
        yield f"stream {stream.name}", stream, stream_files(mapping, stream.name, root)
        for number, join in enumerate(stream.joins):
            yield f"join {stream.name} {number}", join, source_files(join, root, f"join {number} of {stream.name!r}")
        yield from _tree_source(f"stream {stream.name}", stream.fields.category_path, root)
    for role, table in (("items", mapping.items), ("users", mapping.users)):
        if table:
            yield role, table, source_files(table, root, f"the {role} table")
    if mapping.items:
        yield from _tree_source("items", mapping.items.category_path, root)


def _tree_source(
    role: str, field: CategoryField | None, root: InputRoot
) -> Iterator[tuple[str, FileSource, list[str]]]:
    if field and field.tree:
        yield f"category tree of {role}", field.tree, tree_files(field, root, role)


def _content_digest(path: str) -> str:
    digest = hashlib.blake2b(digest_size=32)
    with readable(path, "a readable file"), Path(path).open("rb") as stream:
        while data := stream.read(_READ_BYTES):
            digest.update(data)
    return digest.hexdigest()
