"""Events as the columns that `predict` takes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from event_tables import Event

from schemas.events import EVENT_FIELDS
from schemas.signatures import COLUMN_CUT, COLUMNS

DTYPES = {"string": object, "int64": np.int64, "float32": np.float32}
EMPTY = {"string": "", "int64": 0, "float32": -1.0}


def to_columns(users: Sequence[Sequence[Event]], cuts_s: Sequence[int], slots: int | None = None) -> dict[str, Any]:
    """Returns column -> `[B]` or `[B, N]` array, filled up with empty slots.

    Args:
      users: Events of each user; what an event lacks is "none".
      cuts_s: The moment asked about, for each user.
      slots: N, by default the most events of a user.
    """
    slots = slots or max([len(events) for events in users], default=0)
    columns: dict[str, Any] = {COLUMN_CUT: np.array(cuts_s, np.int64)}
    for column in COLUMNS[1:]:
        empty = EMPTY[column.dtype]
        rows = [[_value(event, column.name, empty) for event in events] for events in users]
        filled = [row + [empty] * (slots - len(row)) for row in rows]
        columns[column.name] = np.array(filled, DTYPES[column.dtype]).reshape(len(users), slots)
    return columns


def _value(event: Mapping[str, Any], name: str, empty: Any) -> Any:
    value = event.get(name)
    return empty if value is None else value


def sort_key(row: Event) -> tuple[object, ...]:
    """The shard's total order: by time, then by the other fields."""
    texts = [row.get(f.name) or "" for f in EVENT_FIELDS if f.name not in ("user", "time_s", "price", "quantity")]
    numbers = [-1.0 if row.get(name) is None else row[name] for name in ("price", "quantity")]
    return (row["time_s"], *texts, *numbers)
