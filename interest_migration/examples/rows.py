"""Arrow batches of events as NumPy columns, and their one total order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.errors import ContractError
from interest_migration.examples.ranges import AnyIntArray, IntArray
from interest_migration.examples.strings import Codes, encode_strings
from schemas.events import EVENT_FIELDS, POSITION_FIELDS

NONE: Final = -1.0
"""Stands for a price or quantity that an event does not have."""

_KEY_BITS: Final = 62
_PIECE, _ROW = (field.name for field in POSITION_FIELDS)


@dataclass(frozen=True)
class Rows:
    """Events as columns, in any order.

    Attributes:
      strings: Every string column of the contract; missing ones are all "none".
      numbers: `price` and `quantity`, `[N]` float64, NONE where an event has none.
      time_s: `[N]` int64.
      piece: `[N]` int64, where the row came from; 0 if the batches do not say.
      row: `[N]` int64; the order of arrival if the batches do not say.
    """

    strings: Mapping[str, Codes]
    numbers: Mapping[str, npt.NDArray[np.float64]]
    time_s: IntArray
    piece: IntArray
    row: IntArray


def read_rows(batches: Sequence[pa.RecordBatch] | pa.Table) -> Rows:
    """Reads events into columns; optional columns may be missing from any batch.

    Raises:
      ContractError: If a required column is missing or has nulls.
    """
    parts = batches.to_batches() if isinstance(batches, pa.Table) else list(batches)
    for field in EVENT_FIELDS:
        if field.required:
            _require(parts, field.name)
    count = sum(len(part) for part in parts)
    strings = {
        field.name: encode_strings(_chunks(parts, field.name, pa.string()))
        for field in EVENT_FIELDS
        if field.type == pa.string()
    }
    numbers = {field.name: _read_numbers(parts, field.name) for field in EVENT_FIELDS if field.type == pa.float64()}
    time_s = _read_integers(parts, "time_s", np.zeros(count, np.int64))
    piece = _read_integers(parts, _PIECE, np.zeros(count, np.int64))
    return Rows(strings, numbers, time_s, piece, _read_integers(parts, _ROW, np.arange(count)))


def sort_rows(rows: Rows) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Sorts by user, time, all other fields of the contract, and position last.

    Returns:
      `[N]` row indices in sorted order, and `[N]` whether the sorted row equals the one before in every field.
    """
    user = rows.strings["user"]
    columns: list[tuple[AnyIntArray, int]] = [(user.codes, user.size), _rank(rows.time_s)]
    columns += [(column.codes, column.size) for name, column in rows.strings.items() if name != "user"]
    columns += [_rank(column) for column in rows.numbers.values()]
    keys = _pack_columns(columns)
    order = np.lexsort([*reversed([*keys, *_pack_columns([_rank(rows.piece), _rank(rows.row)])])])
    repeated = np.ones(len(order), bool)
    for key in keys:
        ordered = key[order]
        repeated[1:] &= ordered[1:] == ordered[:-1]
    repeated[:1] = False
    return order, repeated


def _pack_columns(columns: Iterable[tuple[AnyIntArray, int]]) -> list[IntArray]:
    """Packs (values in [0, size), size) columns into as few int64 keys as keep their lexicographic order.

    Example:
      ([1, 0], size 2) and ([0, 4], size 5) -> one key [5, 4].
    """
    keys: list[IntArray] = []
    width = 1
    for values, size in columns:
        if size <= 1 and keys:
            continue
        if not keys or width * size > 1 << _KEY_BITS:
            keys.append(values.astype(np.int64))
            width = size
        else:
            keys[-1] = keys[-1] * size + values
            width *= size
    return keys


def _rank(values: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> tuple[IntArray, int]:
    """Returns `[N]` rank among the distinct values, and their number."""
    encoded = pa.array(values).dictionary_encode()
    order = np.argsort(encoded.dictionary.to_numpy())
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks[encoded.indices.to_numpy()], len(order)


def _require(parts: Sequence[pa.RecordBatch], name: str) -> None:
    for part in parts:
        if name not in part.schema.names:
            raise ContractError(f"expected a column {name!r} in every batch of events, received {part.schema.names}")
        if part.column(name).null_count:
            raise ContractError(f"expected {name!r} in every event, received {part.column(name).null_count} without it")


def _chunks(parts: Sequence[pa.RecordBatch], name: str, kind: pa.DataType) -> list[pa.Array]:
    return [part.column(name) if name in part.schema.names else pa.nulls(len(part), kind) for part in parts]


def _read_numbers(parts: Sequence[pa.RecordBatch], name: str) -> npt.NDArray[np.float64]:
    chunks = [pc.fill_null(chunk.cast(pa.float64()), NONE).to_numpy() for chunk in _chunks(parts, name, pa.float64())]
    values = np.concatenate(chunks or [np.empty(0)])
    return np.where(np.isfinite(values), values, NONE)


def _read_integers(parts: Sequence[pa.RecordBatch], name: str, default: IntArray) -> IntArray:
    if not parts or any(name not in part.schema.names for part in parts):
        return default
    return np.concatenate([part.column(name).cast(pa.int64()).to_numpy(zero_copy_only=False) for part in parts])
