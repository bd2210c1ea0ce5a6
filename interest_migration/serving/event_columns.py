"""Events as columns and as a table: the same facts for `predict` and for the example builder."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from interest_migration.ragged import Ragged
from schemas.events import EVENT_SCHEMA
from schemas.features import (
    EVENT_ACTION,
    EVENT_AGE,
    EVENT_BRAND,
    EVENT_CATEGORY,
    EVENT_CHILD,
    EVENT_ITEM,
    EVENT_PLATFORM,
    EVENT_PRICE,
    EVENT_SESSION,
    EVENT_TEXT,
)
from schemas.signatures import (
    COLUMN_ACTION,
    COLUMN_BRAND,
    COLUMN_CUT,
    COLUMN_ITEM,
    COLUMN_PATH,
    COLUMN_PLATFORM,
    COLUMN_PRICE,
    COLUMN_SESSION,
    COLUMN_TEXT,
    COLUMN_TIME,
    COLUMNS,
)

Columns = dict[str, npt.NDArray[Any]]

_EMPTY: Final = {"string": b"", "int64": 0, "float32": -1.0}
_DTYPES: Final[dict[str, Any]] = {"string": object, "int64": np.int64, "float32": np.float32}
_SAME: Final = {
    COLUMN_ITEM: EVENT_ITEM,
    COLUMN_ACTION: EVENT_ACTION,
    COLUMN_BRAND: EVENT_BRAND,
    COLUMN_PLATFORM: EVENT_PLATFORM,
    COLUMN_TEXT: EVENT_TEXT,
    COLUMN_PRICE: EVENT_PRICE,
}


def history_events(history: Mapping[str, Ragged], cut_s: int) -> pa.Table:
    """Returns the events that histories list, as rows of `schemas.events`, in their order.

    What the examples do not tell is left out: quantities, and events before the oldest one listed. User n is `"%09d"`.

    Args:
      history: Feature -> `[B, (E)]` lists.
      cut_s: The moment that ages count back from.
    """
    ages = history[EVENT_AGE]
    child, category = history[EVENT_CHILD].values, history[EVENT_CATEGORY].values
    users = np.char.mod("%09d", np.repeat(np.arange(len(ages)), np.diff(ages.offsets)))
    values = {
        "user": users,
        COLUMN_TIME: cut_s - ages.values,
        COLUMN_PATH: np.where(child != b"", child, category),
        COLUMN_SESSION: np.char.mod("%d", history[EVENT_SESSION].values),
        **{name: history[feature].values for name, feature in _SAME.items()},
    }
    return pa.table({name: _arrow(name, column) for name, column in values.items()})


def _arrow(name: str, values: npt.NDArray[Any]) -> pa.Array:
    return pa.array(values).cast(EVENT_SCHEMA.field(name).type)


def to_columns(events: pa.Table, cut_s: int) -> Columns:
    """Returns what `predict` takes, a row for each user in the order of their names.

    Events of one moment stay in the order they come in.

    Args:
      events: Rows of `schemas.events`; optional columns may be missing.
      cut_s: The moment asked about.
    """
    users, times = events["user"].to_numpy().astype(str), events[COLUMN_TIME].to_numpy()
    ordered = events.take(np.lexsort([times, users]))
    names = ordered["user"].to_numpy()
    users, counts = np.unique(names.astype(str), return_counts=True)
    ends = np.cumsum(counts)
    row = np.repeat(np.arange(len(users)), counts)
    place = np.arange(len(names)) - np.repeat(ends - counts, counts)
    shape = (len(users), int(counts.max(initial=0)))
    columns: Columns = {COLUMN_CUT: np.full(len(users), cut_s, np.int64)}
    for column in COLUMNS[1:]:
        filled = np.full(shape, _EMPTY[column.dtype], _DTYPES[column.dtype])
        if column.name in ordered.column_names:
            filled[row, place] = _values(ordered[column.name], column.dtype)
        columns[column.name] = filled
    return columns


def _values(values: pa.ChunkedArray, dtype: str) -> npt.NDArray[Any]:
    found = values.cast(pa.large_binary()) if dtype == "string" else values
    return np.asarray(found.fill_null(_EMPTY[dtype]).to_numpy(), _DTYPES[dtype])


def one_row(columns: Columns, row: int) -> Columns:
    """Returns the columns of one user."""
    return {name: values[row : row + 1] for name, values in columns.items()}
