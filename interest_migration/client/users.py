"""What a client sends about users: their recent events."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from interest_migration.client.queries import Array
from interest_migration.errors import ContractError
from schemas.actions import ACTIONS
from schemas.signatures import COLUMN_CUT, COLUMN_TIME, COLUMNS, Column

_NO_OTHER_FIELDS: Final = {"extra": "forbid"}
_DTYPES: Final = {"string": np.object_, "int64": np.int64, "float32": np.float32}


@dataclass(frozen=True)
class Event:
    """One event of a user; see `schemas.events`.

    Attributes:
      time_s: When, Unix seconds UTC.
      action: One of `schemas.actions.ACTIONS`, such as `view` or `purchase`.
      item: Item.
      category_path: Categories from broad to narrow, joined by ` > `.
      brand: Brand.
      platform: Channel, shop or device.
      text: What was typed or read.
      session: The platform's own session id.
      price: Price per unit.
      quantity: Units.
    """

    __pydantic_config__ = _NO_OTHER_FIELDS

    time_s: int
    action: str
    item: str = ""
    category_path: str = ""
    brand: str = ""
    platform: str = ""
    text: str = ""
    session: str = ""
    price: float | None = None
    quantity: float | None = None

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ContractError(f"expected an action of {', '.join(ACTIONS)}, received {self.action!r}")


@dataclass(frozen=True)
class User:
    """A user's recent events, in any order.

    Attributes:
      events: The events.
      at_s: The moment asked about, Unix seconds UTC; later events are left out. None: now.
      name: The caller's own name of the user; it is not sent.
    """

    __pydantic_config__ = _NO_OTHER_FIELDS

    events: Sequence[Event] = field(default_factory=tuple)
    at_s: int | None = None
    name: str = ""


def columns_of(users: Sequence[User], now_s: int | None = None) -> dict[str, Array]:
    """Returns the inputs of the signatures that take columns.

    Args:
      users: B users with at most N events each.
      now_s: What `at_s` None stands for; by default the time.

    Returns:
      Column -> `[B]` or `[B, N]`; `[B, 1]` of one that no event has. Slots without an event have an empty action.

    Raises:
      ContractError: If there are no users.

    Example:
      users with 2 and 1 events -> action [["view", "purchase"], ["view", ""]]
    """
    if not users:
        raise ContractError("expected at least one user, received none")
    now = int(time.time()) if now_s is None else now_s
    counts = np.array([len(user.events) for user in users])
    rows = np.repeat(np.arange(len(users)), counts)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    events = [event for user in users for event in user.events]
    shape = (len(users), max(1, int(counts.max())))
    return {
        column.name: np.array([now if user.at_s is None else user.at_s for user in users], np.int64)
        if column.name == COLUMN_CUT
        else _column(column, events, (rows, places), shape)
        for column in COLUMNS
    }


def _column(column: Column, events: Sequence[Event], there: tuple[Array, Array], shape: tuple[int, int]) -> Array:
    none: Any = column.default if column.default is not None else 0 if column.name == COLUMN_TIME else ""
    given = [getattr(event, column.name) for event in events]
    values = [none if value is None else value for value in given]
    is_sent = column.default is None or any(value != none for value in values)
    filled: Array = np.full(shape if is_sent else (shape[0], 1), none, _DTYPES[column.dtype])
    if is_sent and values:
        filled[there] = np.array(values, _DTYPES[column.dtype])
    return filled
