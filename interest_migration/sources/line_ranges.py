"""Where a large text file can be cut between rows."""

import codecs
from pathlib import Path
from typing import Final

from interest_migration.sources.byte_streams import COMPRESSION_SUFFIXES
from interest_migration.sources.csv_files import read_head
from interest_migration.sources.file_readers import WHOLE_FILE, Part
from interest_migration.sources.file_sources import FileFormat, FileSource
from interest_migration.sources.raw import readable

RANGE_BYTES: Final = 64 << 20
"""Length of a part; shorter files, and those below twice this, stay whole."""


def split_lines(source: FileSource, path: str, kind: FileFormat, range_bytes: int = RANGE_BYTES) -> list[Part]:
    """Cuts a text file into parts of whole rows.

    A file is cut only if each of its lines is certainly one row: uncompressed UTF-8 without blank lines, lone carriage
    returns and a byte-order mark, and, for CSV, without any quote or escape character. Anything else stays whole.

    Args:
      source: How the file is written.
      path: File.
      kind: `csv` or `jsonl`.
      range_bytes: Least length of a part.

    Returns:
      Parts in the order of the file, at least one.
    """
    plain = codecs.lookup(source.csv.encoding).name == "utf-8" and source.csv.fallback_encoding is None
    if not plain or Path(path).suffix.lower() in COMPRESSION_SUFFIXES:
        return [WHOLE_FILE]
    if Path(path).stat().st_size < 2 * range_bytes:
        return [WHOLE_FILE]
    if kind == "csv":
        header_lines = 1 if read_head(path, source.csv).size else 0
        special = [mark.encode() for mark in (source.csv.quote, source.csv.escape) if mark]
    else:
        header_lines, special = 0, [b"\n ", b"\n\t"]  # such a line may be blank
    with readable(path, "a readable file"):
        cuts = _scan(path, special, range_bytes)
    if cuts is None:
        return [WHOLE_FILE]
    starts = [(0, 0), *((place, lines - header_lines) for place, lines in cuts)]
    stops = [place for place, _ in cuts] + [None]
    return [Part(start, stop, row) for (start, row), stop in zip(starts, stops, strict=True)]


def _scan(path: str, special: list[bytes], range_bytes: int) -> list[tuple[int, int]] | None:
    """Returns (byte, lines before it) of each cut, or None if a line may not be a row."""
    cuts: list[tuple[int, int]] = []
    place = lines = 0
    whole = True
    with Path(path).open("rb") as stream:
        while data := stream.read(range_bytes) + stream.readline(range_bytes):
            marked = place == 0 and data.startswith(codecs.BOM_UTF8)
            if marked or not whole or not _only_plain_lines(data, special):
                return None
            whole = data.endswith(b"\n")
            if place:
                cuts.append((place, lines))
            lines += data.count(b"\n")
            place += len(data)
    return cuts


def _only_plain_lines(data: bytes, special: list[bytes]) -> bool:
    if data[:1].isspace() or b"\n\n" in data or any(mark in data for mark in special):
        return False
    return b"\r" not in data or (b"\n\r" not in data and data.count(b"\r") == data.count(b"\r\n"))
