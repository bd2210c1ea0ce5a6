"""Parquet files as raw batches."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow.parquet as pq

from interest_migration.sources.raw import MAX_BATCH_ROWS, RawBatch, raw_batch, readable, require_columns


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
        for batch in file.iter_batches(MAX_BATCH_ROWS, row_groups=groups, columns=list(columns), use_threads=False):
            rows = np.arange(first_row, first_row + batch.num_rows, dtype=np.int64)
            first_row += batch.num_rows
            yield raw_batch({name: batch.column(name) for name in columns}, rows)
