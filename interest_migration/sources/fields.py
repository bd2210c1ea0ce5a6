"""How one contract field is made from the columns of a log."""

import re
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from interest_migration.settings import Settings
from interest_migration.sources.file_sources import FileSource, Names, check_pattern
from schemas.events import ACTIONS

UNIX_FORMATS = {"unix_s": 1, "unix_ms": 1_000, "unix_us": 1_000_000}
"""Time formats that are numbers, and their units per second."""

_STRPTIME_DIRECTIVES = frozenset("aAbBdHIjmMpSyYzFTDR%")


def _expand_column(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


def _require_one_of(values: dict[str, object]) -> None:
    given = [name for name, value in values.items() if value]
    if len(given) != 1:
        raise ValueError(f"expected exactly one of {', '.join(values)}, received {', '.join(given) or 'none'}")


class IdField(Settings):
    """An identifier that must come from a column."""

    column: str = Field(min_length=1)


class TextField(Settings):
    """A text from a column, or the same for every row.

    Attributes:
      column: Column with the text.
      constant: The same text for every row.
      fallback: Columns that are asked in turn where `column` has no value.
    """

    column: str | None = None
    constant: str | None = None
    fallback: Names = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        _require_one_of({"column": self.column, "constant": self.constant})
        if self.constant is not None and self.fallback:
            raise ValueError("a constant needs no fallback")
        return self

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The columns that are read, in the order in which they are asked."""
        return (*([self.column] if self.column else []), *self.fallback)


class TimeField(Settings):
    """When it happened.

    Attributes:
      column: Column with the time. Columns that already have a date or time type need no format.
      format: `iso8601`, `unix_s`, `unix_ms`, `unix_us`, or a strptime format such as `%d/%b/%Y:%H:%M:%S %z`; or
        several, of which each value is read by the first that fits.
      timezone: IANA zone of times that carry none. A time that the clocks skipped becomes the first instant after the
        gap; of a time that occurred twice the first is taken.
      shift_seconds: Added to every time before the zone is applied; 86399 puts a date at the end of its day.
    """

    column: str = Field(min_length=1)
    format: Names = Field(("iso8601",), min_length=1)
    timezone: str = "UTC"
    shift_seconds: int = 0

    @field_validator("format")
    @classmethod
    def _check_format(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            if pattern == "iso8601" or pattern in UNIX_FORMATS:
                continue
            directives = set(re.findall(r"%(.)", pattern))
            if not directives:
                raise ValueError(f"expected iso8601, {', '.join(UNIX_FORMATS)} or a strptime format with % directives")
            if unknown := directives - _STRPTIME_DIRECTIVES:
                names = ", %".join(sorted(unknown))
                raise ValueError(f"strptime directives %{names} cannot be used; see docs/mappings.md")
        return value

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError("expected an IANA time zone such as UTC or America/New_York") from error
        return value


class ActionField(Settings):
    """What was done.

    Attributes:
      column: Column with the source's word.
      constant: The action of every row of the stream.
      values: Source word -> contract action; upper and lower case are one. Contract actions stand for themselves.
      ignore: Source words whose rows are set aside on purpose, and counted as `ignored_action`.
    """

    column: str | None = None
    constant: str | None = None
    values: dict[str, str] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        _require_one_of({"column": self.column, "constant": self.constant})
        for action in (*self.values.values(), *([self.constant] if self.constant else [])):
            if action not in ACTIONS:
                raise ValueError(f"expected an action of {', '.join(ACTIONS)}, received {action!r}")
        words = [word.strip().casefold() for word in (*self.values, *self.ignore)]
        if twice := sorted({word for word in words if words.count(word) > 1}):
            raise ValueError(f"expected every word once in values and ignore, received {', '.join(twice)} more often")
        return self

    @property
    def vocabulary(self) -> dict[str, str]:
        """Folded source word -> contract action."""
        return {action: action for action in ACTIONS} | {
            word.strip().casefold(): action for word, action in self.values.items()
        }


class Tree(FileSource):
    """A table of categories, each with the one above it.

    Attributes:
      id: Column with the category's id.
      parent: Column with the id of the category above; no value at the top.
      name: Column with the name that levels get; the id where left out.
    """

    id: str
    parent: str
    name: str | None = None


class CategoryField(Settings):
    """The category path: several columns from broad to narrow, or one column that may be taken apart.

    Attributes:
      column: Column with a path, a level or a list of levels; of a list of paths the first counts.
      columns: Columns with one level each.
      separator: Splits the text of `column` into levels.
      pattern: Regular expression that is searched in `column`; its groups are the levels, or else the whole match.
      tree: Table in which the value of `column` is looked up; the levels are its ancestors and itself.
      fallback: Columns that are asked in turn, for a single level, where there is no path.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    separator: str | None = Field(None, min_length=1)
    pattern: str | None = None
    tree: Tree | None = None
    fallback: Names = ()

    _check_pattern = field_validator("pattern")(check_pattern)

    @model_validator(mode="after")
    def _check(self) -> Self:
        _require_one_of({"column": self.column, "columns": self.columns})
        ways = [name for name in ("separator", "pattern", "tree") if getattr(self, name)]
        if ways and self.columns:
            raise ValueError(f"{ways[0]} splits one column; leave it out with several columns")
        if len(ways) > 1:
            raise ValueError(f"expected at most one of separator, pattern and tree, received {', '.join(ways)}")
        return self

    @property
    def levels(self) -> tuple[str, ...]:
        """The source columns of the levels, broad to narrow."""
        return self.columns or (str(self.column),)

    @property
    def source_columns(self) -> tuple[str, ...]:
        """All columns that are read."""
        return (*self.levels, *self.fallback)


class NumberField(Settings):
    """A number: a column, a constant, or (for a price) a column with the total of all units.

    Attributes:
      column: Column with the number.
      constant: The same number for every row.
      total_column: Column with price times quantity; it is divided by the quantity.
      decimal: Decimal mark of numbers in text.
      remove: Characters to take out of numbers in text, such as `$` or thousands marks.
      at_most: Rows with a larger price per unit or quantity are set aside as `number_out_of_range`.
    """

    column: str | None = None
    constant: float | None = Field(None, ge=0, allow_inf_nan=False)
    total_column: str | None = None
    decimal: Literal[".", ","] = "."
    remove: str = ""
    at_most: float = Field(1e12, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _check(self) -> Self:
        _require_one_of(
            {"column": self.column, "constant": self.constant is not None, "total_column": self.total_column}
        )
        return self


Identifier = Annotated[IdField, BeforeValidator(_expand_column)]
Text = Annotated[TextField, BeforeValidator(_expand_column)]
Time = Annotated[TimeField, BeforeValidator(_expand_column)]
ActionWord = Annotated[ActionField, BeforeValidator(_expand_column)]
CategoryPath = Annotated[CategoryField, BeforeValidator(_expand_column)]
Number = Annotated[NumberField, BeforeValidator(_expand_column)]
