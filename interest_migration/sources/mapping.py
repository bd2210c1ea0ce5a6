"""The source mapping: what turns someone's files into events.

    name: clicks
    description: Click log of a shop.
    streams:
      - name: clicks
        files: clicks/*.csv.gz
        fields:
          user: customer_id
          time: {column: ts, format: unix_ms}
          action: {column: event, values: {pv: view, buy: purchase}, ignore: [heartbeat]}
          item: sku
          price: amount

Every key is described in docs/mappings.md.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from interest_migration.settings import Settings
from interest_migration.sources.fields import (
    ActionWord,
    CategoryPath,
    Identifier,
    Number,
    Text,
    Time,
)
from interest_migration.sources.file_sources import FileSource
from interest_migration.sources.user_column import check_uses_of_user


def _as_utc(value: Any) -> Any:
    """Dates and times without a zone in the mapping itself are UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if hasattr(value, "year") and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


UtcTime = Annotated[datetime, BeforeValidator(_as_utc)]


class Fields(Settings):
    """Contract field -> how to make it. A plain string is the name of a column."""

    user: Identifier
    time: Time
    action: ActionWord
    item: Text | None = None
    category_path: CategoryPath | None = None
    brand: Text | None = None
    price: Number | None = None
    quantity: Number | None = None
    text: Text | None = None
    session: Text | None = None
    platform: Text | None = None
    extras: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.quantity is not None and (self.quantity.total_column or self.quantity.constant == 0):
            raise ValueError("quantity must be a column or a constant above zero")
        check_uses_of_user(self.user.column, {name: getattr(self, name) for name in type(self).model_fields})
        return self

    @property
    def source_columns(self) -> tuple[str, ...]:
        """Distinct columns that the fields read."""
        names: list[str] = []
        for field in (self.user, self.time, self.action, self.price, self.quantity):
            names += [getattr(field, "column", None) or "", getattr(field, "total_column", None) or ""]
        for text in (self.item, self.brand, self.text, self.session, self.platform, self.category_path):
            names += text.source_columns if text else ()
        names += self.extras
        return tuple(dict.fromkeys(name for name in names if name))


class Lookup(FileSource):
    """A small table whose `columns` are added to each row of a stream.

    Attributes:
      column: Column of the stream.
      key: Column of the table that it equals; the same name where left out. Of equal keys the last row counts.
      columns: Columns of the table to add; the fields then use them like the stream's own.
    """

    column: str
    key: str | None = None
    columns: tuple[str, ...] = Field(min_length=1)


class Stream(FileSource):
    """Files that hold one kind of events."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    fields: Fields
    joins: tuple[Lookup, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        added = [name for join in self.joins for name in join.columns]
        if len(set(added)) < len(added):
            raise ValueError("expected every joined column once")
        if any(condition.column == self.fields.user.column for condition in self.filters):
            raise ValueError("a filter of the user column would store raw user ids; put them in data.erasure_list")
        if own := {join.column for join in self.joins} & set(added):
            raise ValueError(f"joins add {', '.join(sorted(own))}, which is the column they join by")
        return self

    @property
    def nested_columns(self) -> tuple[str, ...]:
        """Columns that may hold lists or objects, where the format has them."""
        path = self.fields.category_path
        return (*(path.source_columns if path else ()), *self.fields.extras)

    @property
    def file_columns(self) -> tuple[str, ...]:
        """Distinct columns that must be in the stream's own files."""
        added = {name for join in self.joins for name in join.columns}
        wanted = (
            *self.fields.source_columns,
            *(condition.column for condition in self.filters),
            *(join.column for join in self.joins),
        )
        return tuple(dict.fromkeys(name for name in wanted if name not in added))


class Items(FileSource):
    """The item table. It fills what events lack. Of rows with the same id the last counts.

    Attributes:
      id: Column with the item's id.
      valid_from: Since when a row holds. An event takes the newest row at or before it, or else the item's first.
    """

    id: str
    valid_from: Time | None = None
    category_path: CategoryPath | None = None
    brand: Text | None = None
    price: Number | None = None
    text: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.price is not None and self.price.total_column:
            raise ValueError("an item table has prices, not totals")
        return self


class Users(FileSource):
    """Declared attributes of users, for slicing. Of rows with the same id the last counts."""

    id: str
    attributes: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_uses_of_user(self.id, {"attributes": self.attributes})
        return self


class SourceMapping(Settings):
    """Everything needed to read one platform's logs.

    Attributes:
      name: Short name.
      description: What the data are, for people.
      streams: Kinds of event files.
      items: Item table, if there is one.
      users: User table, if there is one.
      not_before: Earlier events are set aside as `time_out_of_range`.
      not_after: Later ones too; a day from now where left out.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    description: str = ""
    streams: tuple[Stream, ...] = Field(min_length=1)
    items: Items | None = None
    users: Users | None = None
    not_before: UtcTime = datetime(1990, 1, 1, tzinfo=UTC)
    not_after: UtcTime | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [stream.name for stream in self.streams]
        if len(set(names)) < len(names):
            raise ValueError("expected distinct stream names")
        sources: list[FileSource] = [*self.streams, *(table for table in (self.items, self.users) if table)]
        if len(sources) > 1 and any(source.files == (".",) for source in sources):
            raise ValueError("with several streams or tables, each must name its files")
        return self

    def stream(self, name: str) -> Stream:
        """Returns the stream of that name."""
        return next(stream for stream in self.streams if stream.name == name)
