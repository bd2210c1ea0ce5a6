"""Parquet files as raw batches."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from interest_migration.sources.raw import MAX_BATCH_ROWS, RawBatch, raw_batch, readable, require_columns

BATCH_BYTES: Final = 256 << 20
"""About what a batch holds, uncompressed; wide rows make it shorter than `MAX_BATCH_ROWS`."""


def read_parquet(
    path: str, columns: Sequence[str], start: int = 0, stop: int | None = None, first_row: int = 0
) -> Iterator[RawBatch]:
    """Yields the rows of a Parquet file in bounded batches, however large its row groups are.

    Args:
      path: File.
      columns: Columns to read.
      start: First row group.
      stop: Row group after the last; none is all of them.
      first_row: Position of the first row in the file.

    Raises:
      DataError: If the file lacks a column or cannot be read.
    """
    with readable(path, "a complete Parquet file"), pq.ParquetFile(path) as file:
        require_columns(path, columns, file.schema_arrow.names)
        groups = range(start, file.num_row_groups if stop is None else stop)
        size = _batch_rows(file.metadata, groups, columns)
        for batch in file.iter_batches(size, row_groups=groups, columns=list(columns), use_threads=False):
            rows = np.arange(first_row, first_row + batch.num_rows, dtype=np.int64)
            first_row += batch.num_rows
            yield raw_batch({name: batch.column(name) for name in columns}, rows)


def _batch_rows(metadata: pq.FileMetaData, groups: range, columns: Sequence[str]) -> int:
    """Returns how many rows make about `BATCH_BYTES`, as the footer tells it."""
    names, rows, size = set(columns), 0, 0
    for group in map(metadata.row_group, groups):
        chunks = map(group.column, range(group.num_columns))
        size += sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in names)
        rows += group.num_rows
    return int(min(MAX_BATCH_ROWS, max(1, BATCH_BYTES * rows // max(size, 1))))
