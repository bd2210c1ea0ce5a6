"""One piece of a log to batches of events, and of the rows that were set aside.

A raw batch (`file_readers`) gets the columns of its joins (`keyed_tables`); `conversion` turns it into columns of the
contract and a verdict on each row; good rows are the events, the others the rejects.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from interest_migration.errors import ContractError, DataError
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.conversion import TimeRange, convert, time_range
from interest_migration.sources.distinct import encode
from interest_migration.sources.file_readers import read_raw
from interest_migration.sources.files import Piece
from interest_migration.sources.keyed_tables import load_lookup
from interest_migration.sources.mapping import SourceMapping, Stream
from interest_migration.sources.raw import RawBatch, safe_cause
from interest_migration.sources.rejects import Reason, Rows, reject_batch
from interest_migration.sources.trees import CategoryTree, load_tree
from schemas.events import EVENT_SCHEMA, POSITION_FIELDS


def read_events(
    piece: Piece, piece_index: int, mapping: SourceMapping, pseudonymiser: Pseudonymiser
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Reads a piece; every row of it ends up in exactly one of the two batches.

    Args:
      piece: What to read.
      piece_index: Its place in the list of pieces, which becomes `source_piece`.
      mapping: The mapping that the piece was planned with.
      pseudonymiser: Replaces user ids.

    Yields:
      Events of up to 262,144 rows (the columns of `EVENT_SCHEMA` that the mapping gives, and the positions; text may
      be dictionary encoded), and the rows set aside (`REJECT_SCHEMA`).

    Raises:
      DataError: If the file cannot be read or a column is missing or of a type that cannot be used.
    """
    stream = mapping.stream(piece.stream)
    allowed = time_range(mapping, piece.times)
    fields = stream.fields
    essential = (fields.user.column, fields.time.column, fields.action.column)
    tree = load_tree(fields.category_path, piece.tree)
    required = [name for name in stream.file_columns if name in essential]
    for raw in read_raw(
        stream, piece.path, piece.format, stream.file_columns, required, stream.nested_columns, piece.part
    ):
        try:
            yield _events_and_rejects(_join(raw, stream, piece), piece_index, stream, allowed, pseudonymiser, tree)
        except ContractError as error:
            kinds = ", ".join(f"{name} ({column.type})" for name, column in raw.columns.items())
            raise DataError(f"{piece.path}: {error}; the columns are {kinds}") from error
        except pa.ArrowException as error:
            # Not `from error`: the message may quote a row.
            raise DataError(
                f"{piece.path}: expected columns that can be converted, received: {safe_cause(error)}"
            ) from None


def _join(raw: RawBatch, stream: Stream, piece: Piece) -> RawBatch:
    """Adds the columns of the stream's lookup tables; null where the key is unknown or an optional table is absent."""
    columns = dict(raw.columns)
    for join, paths in zip(stream.joins, piece.lookups, strict=True):
        if not paths:
            columns |= {name: pa.nulls(len(raw), pa.string()) for name in join.columns}
            continue
        table = load_lookup(join, paths)
        if len(raw):
            places = table.find(columns[join.column])
            columns |= {name: encode(table.columns[name]).take(places) for name in join.columns}
    return replace(raw, columns=columns)


def _events_and_rejects(
    raw: RawBatch,
    piece_index: int,
    stream: Stream,
    allowed: TimeRange,
    pseudonymiser: Pseudonymiser,
    tree: CategoryTree | None,
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    broken = _broken(raw, piece_index)
    if not len(raw):
        return _empty_events(), broken
    columns, verdict = convert(raw, stream, allowed, pseudonymiser, tree)
    kept = verdict.kept
    pieces = pa.array(np.full(len(raw), piece_index, np.int32))
    names = [*columns, *(field.name for field in POSITION_FIELDS)]
    events = pa.RecordBatch.from_arrays([*columns.values(), pieces, pa.array(raw.rows)], names)
    if kept.all():
        return events, broken
    rejects = pa.Table.from_batches([broken, verdict.rejects(raw.rows, piece_index)]).combine_chunks()
    return events.filter(pa.array(kept)), rejects.to_batches()[0]


def _broken(raw: RawBatch, piece_index: int) -> pa.RecordBatch:
    rows: Rows = raw.broken
    reasons = pa.array([str(Reason.BROKEN_ROW)] * len(rows), pa.string())
    return reject_batch(rows, piece_index, reasons, pa.array([raw.broken_detail] * len(rows), pa.string()))


def _empty_events() -> pa.RecordBatch:
    required = [field for field in EVENT_SCHEMA if not field.nullable]
    return pa.RecordBatch.from_pylist([], pa.schema([*required, *POSITION_FIELDS]))
