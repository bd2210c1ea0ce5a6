"""Looks for known user ids in everything that was written."""

import gzip
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq


def find_ids(folder: Path, pattern: str) -> list[str]:
    """Returns the files below a folder whose name or content, unpacked, matches a pattern."""
    wanted = re.compile(pattern.encode())
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [str(path) for path in files if any(wanted.search(text) for text in _contents(path, folder))]


def _contents(path: Path, folder: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    yield str(path.relative_to(folder)).encode()
    yield data
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    if data[:4] == b"PAR1":
        table = pq.read_table(path)
        yield str(table.schema).encode()
        yield str(table.to_pylist()).encode()
    if data[:15] == b"SQLite format 3":
        with sqlite3.connect(path) as database:
            for line in database.iterdump():
                yield line.encode()
