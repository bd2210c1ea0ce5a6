"""How rows of several requests become one input, and when they may.

Without further knowledge, inputs are joined along axis 0, and only those whose other axes agree. Of the columns of
`schemas.signatures` more is known: a size of 1 stands for all, and a row may be filled up with empty slots:

    action [["view", "purchase"]] and [["view"]]   ->  [["view", "purchase"], ["view", ""]]
    brand  [["acme"]]             and [["b"]]      ->  [["acme", "acme"], ["b", ""]]
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from interest_migration.server.calls import Array
from schemas.signatures import COLUMN_ACTION, COLUMN_CUT, COLUMNS

_NAMES: Final = {column.name for column in COLUMNS}
_FILLING: Final[dict[str, Any]] = {
    column.name: b"" if column.dtype == "string" else 0 if column.default is None else column.default
    for column in COLUMNS
    if column.shape == "[B, N]"
}
"""Columns with a value per event -> what stands in an empty slot; the model looks at the action, which is empty too."""


def join_key(inputs: Mapping[str, Array]) -> Hashable | None:
    """Returns what must agree for requests to be joined; None if this one cannot be joined with any.

    Args:
      inputs: Input name -> array, of the ranks that the signature has.
    """
    rows = {len(value) for value in inputs.values()}
    if inputs.keys() != _NAMES:
        return tuple(sorted((name, value.shape[1:]) for name, value in inputs.items())) if len(rows) == 1 else None
    users, slots = _size(inputs)
    per_event = {value.shape[1] for name, value in inputs.items() if name in _FILLING}
    return () if users and rows <= {1, users} and per_event <= {1, slots} else None


def join(requests: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Returns the inputs of one call; the requests' join keys are equal."""
    if requests[0].keys() == _NAMES:
        most = max(_size(inputs)[1] for inputs in requests)
        requests = [
            {name: _fill_up(name, value, _size(inputs), most) for name, value in inputs.items()} for inputs in requests
        ]
    return {name: np.concatenate([inputs[name] for inputs in requests]) for name in requests[0]}


def _size(inputs: Mapping[str, Array]) -> tuple[int, int]:
    """Users and slots for events."""
    return len(inputs[COLUMN_CUT]), inputs[COLUMN_ACTION].shape[1]


def _fill_up(name: str, value: Array, size: tuple[int, int], most: int) -> Array:
    if name not in _FILLING:
        return value
    users, slots = size
    filled: Array = np.full((users, most), _FILLING[name], value.dtype)
    filled[:, :slots] = value[:, :slots]
    return filled
