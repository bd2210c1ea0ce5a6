"""The event contract: one row is one act of one user at one second.

A source mapping (`interest_migration.sources`) turns any log into batches of this schema. Example of one event:

    user          "7f3a9c..."                pseudonym (HMAC of the platform's id), never the id itself
    time_s        1483275206                 2017-01-01 12:53:26 UTC
    action        "purchase"
    item          "1095275"
    category_path "GROCERY > BREAD > WHITE"  from broad to narrow
    brand         "National"
    price         0.5                        per unit, in the platform's currency
    quantity      1.0

Events of one user in the same second form one *step* (a basket): they have no order among themselves.
"""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from schemas.actions import ACTIONS as ACTIONS  # without Arrow, for clients

OWN_TEXT_ACTIONS: Final = ("search", "message", "review")
"""Actions whose text is what the user typed or read; that of any other event describes the item."""

PATH_SEPARATOR: Final = " > "
"""Joins the levels of a category path, from broad to narrow."""


@dataclass(frozen=True)
class EventField:
    """One column of the contract.

    Attributes:
      name: Column name.
      type: Arrow type.
      required: Whether a row without it is set aside.
      description: Meaning and unit.
    """

    name: str
    type: pa.DataType
    required: bool
    description: str


EVENT_FIELDS: Final = (
    EventField("user", pa.string(), True, "who acted; a pseudonym once it has left the reader"),
    EventField("time_s", pa.int64(), True, "when, Unix seconds UTC; fractions of a second are dropped"),
    EventField("action", pa.string(), True, f"what was done, one of {', '.join(ACTIONS)}"),
    EventField("item", pa.string(), False, "what it was done to"),
    EventField(
        "category_path", pa.string(), False, f"interest categories, broad to narrow, joined by '{PATH_SEPARATOR}'"
    ),
    EventField("brand", pa.string(), False, "brand or maker of the item"),
    EventField("price", pa.float64(), False, "price per unit in the platform's currency, zero or more"),
    EventField("quantity", pa.float64(), False, "units, above zero; 1 where the source has none"),
    EventField("text", pa.string(), False, "what the user typed or read (search, review, message)"),
    EventField("session", pa.string(), False, "the source's own session id, where it has one"),
    EventField("platform", pa.string(), False, "channel, shop or device the event came from"),
    EventField("extras", pa.string(), False, "any further columns the mapping keeps, as a JSON object"),
)

EVENT_SCHEMA: Final = pa.schema([pa.field(field.name, field.type, not field.required) for field in EVENT_FIELDS])

POSITION_FIELDS: Final = (
    pa.field("source_piece", pa.int32(), nullable=False),
    pa.field("source_row", pa.int64(), nullable=False),
)
"""Where a row came from: index into the list of pieces read, and its row (0 the first) in that piece's file."""

REJECT_SCHEMA: Final = pa.schema(
    [
        *POSITION_FIELDS,
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string()),
    ]
)
"""A row that was set aside. `detail` names the column and what was wrong; it never holds a user id."""

DEAD_LETTER_SCHEMA: Final = pa.schema(
    [
        pa.field("stream", pa.string(), nullable=False),
        pa.field("source_file", pa.string(), nullable=False),
        *REJECT_SCHEMA,
    ]
)
"""The same as it is kept, with a place that a person can open: the stream's name, and the file below the input."""
