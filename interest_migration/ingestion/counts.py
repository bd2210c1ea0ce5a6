"""Counts of what ingestion read, set aside and made: the parts that its summary adds up."""

import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.ingestion.summary import IngestSummary, TableCounts
from interest_migration.sources.files import Piece
from interest_migration.sources.keyed_tables import load_lookup
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.tables import ItemTable, UserTable
from schemas.features import RAW_FEATURES, Role, Shape


def summarise_read(events: pa.RecordBatch, rejected: pa.RecordBatch, piece: Piece) -> IngestSummary:
    """Counts a batch that was read.

    Args:
      events: `[N]` events.
      rejected: `[M]` rows set aside.
      piece: Where they came from; tells which of them are late.
    """
    late, delay_s = piece.times.count_late(events["time_s"].to_numpy()) if piece.times else (0, 0)
    bounds = pc.min_max(events["time_s"]).as_py()
    return IngestSummary(
        rows_read=events.num_rows + rejected.num_rows,
        rejected=count_reasons(rejected),
        first_event_s=bounds["min"],
        last_event_s=bounds["max"],
        late_events=late,
        largest_delay_s=delay_s,
    )


def count_reasons(rejected: pa.RecordBatch) -> dict[str, int]:
    """Returns reason -> rows set aside for it."""
    return {count["values"]: count["counts"] for count in pc.value_counts(rejected["reason"]).to_pylist()}


def count_labels(examples: pa.RecordBatch) -> dict[str, int]:
    """Returns scalar label -> examples that have it."""
    labels = [spec.name for spec in RAW_FEATURES if spec.role is Role.LABEL and spec.shape is Shape.SCALAR]
    present = {name: pc.fill_null(pc.list_value_length(examples[name]), 0) for name in labels}
    return {name: int(pc.sum(pc.greater(lengths, 0)).as_py() or 0) for name, lengths in present.items()}


def count_joins(mapping: SourceMapping, piece: Piece) -> dict[str, TableCounts]:
    """Returns the rows of the tables that a piece's stream is joined with; absent ones are left out."""
    joins = zip(mapping.stream(piece.stream).joins, piece.lookups, strict=True)
    tables = {number: load_lookup(join, paths) for number, (join, paths) in enumerate(joins) if paths}
    return {
        f"{piece.stream}, join {number}": _count_table(len(table.keys), table.left_out)
        for number, table in tables.items()
    }


def count_tables(items: ItemTable | None, users: UserTable | None) -> dict[str, TableCounts]:
    """Returns the rows of the item and the user table, where there are such."""
    counts = {}
    if items:
        rows = max(map(len, (items.ids, *items.columns.values())))  # an item may have several versions
        counts["items"] = _count_table(rows, items.left_out)
    if users:
        counts["users"] = _count_table(len(users.users), users.left_out)
    return counts


def _count_table(used: int, left_out: int) -> TableCounts:
    return TableCounts(rows_read=used + left_out, rows_used=used, left_out=left_out)
