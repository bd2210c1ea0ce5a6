"""Event batches from short Python rows, for tests of examples and labels."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from schemas.events import EVENT_SCHEMA, POSITION_FIELDS

DAY_S = 86_400
HOUR_S = 3_600
Event = Mapping[str, Any]


def pseudonym(number: int) -> str:
    """Returns a well-mixed pseudonym of 32 hex digits for a small number."""
    return f"{(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"


ANNA, BORIS, CLARA = sorted(pseudonym(number) for number in range(3))


def event(time_s: float, category_path: str | None = None, *, user: str = ANNA, **fields: object) -> Event:
    """Returns one event, a purchase unless `action` says otherwise."""
    return {"user": user, "time_s": int(time_s), "action": "purchase", "category_path": category_path, **fields}


def to_batch(events: Iterable[Event]) -> pa.RecordBatch:
    """Returns events as one batch with all columns; rows count as positions in piece 0."""
    rows = [{"source_piece": 0, "source_row": row, **values} for row, values in enumerate(events)]
    return pa.RecordBatch.from_pylist(rows, pa.schema([*EVENT_SCHEMA, *POSITION_FIELDS]))


def to_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Returns the batch with its strings dictionary-encoded."""
    columns = [c.dictionary_encode() if c.type == pa.string() else c for c in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def to_examples(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Returns rows of an example batch with decoded strings; a null list stays None."""
    return [{name: _decode(values) for name, values in row.items()} for row in batch.to_pylist()]


def _decode(values: Sequence[object] | None) -> list[object] | None:
    if values is None:
        return None
    return [value.decode() if isinstance(value, bytes) else value for value in values]
