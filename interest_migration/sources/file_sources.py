"""Settings of a set of files with rows: where they are, how they are written, and which rows count."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from interest_migration.settings import Settings

FileFormat = Literal["csv", "jsonl", "parquet"]


def _expand_one(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_expand_one)]
"""Texts, or a single one."""


def check_pattern(value: str | None) -> str | None:
    """Validates a regular expression of a mapping."""
    if value is not None:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"expected a regular expression of Python's re, received {value!r}: {error}") from error
    return value


class Filter(Settings):
    """Keeps some of the rows.

    Attributes:
      column: Column that is looked at.
      keep: Only rows with one of these texts stay.
      drop: Rows with one of these texts go.
      keep_pattern: Only rows in which this regular expression is found stay.
      drop_pattern: Rows in which this regular expression is found go.
      reason: What the rows that go are counted as.
    """

    column: str
    keep: Names = ()
    drop: Names = ()
    keep_pattern: str | None = None
    drop_pattern: str | None = None
    reason: str = Field("filtered_out", pattern=r"^[a-z][a-z0-9_]*$")

    _check_patterns = field_validator("keep_pattern", "drop_pattern")(check_pattern)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(map(bool, (self.keep, self.drop, self.keep_pattern, self.drop_pattern))) != 1:
            raise ValueError("expected either keep or drop, or keep_pattern or drop_pattern")
        return self


class CsvOptions(Settings):
    """How a CSV file is written.

    Attributes:
      delimiter: One character between values.
      header: `true`: the first row names the columns. `false`: `columns` names them. `auto`: the first row is a
        header if it holds exactly the names of `columns`, in any order.
      columns: Column names of files without a header.
      encoding: Any Python codec.
      fallback_encoding: Codec of the files that are not wholly in `encoding`.
      quote: Quote character; empty where quotes mean nothing.
      escape: Escape character, if the file has one.
    """

    delimiter: str = Field(",", min_length=1, max_length=1)
    header: bool | Literal["auto"] = True
    columns: tuple[str, ...] = ()
    encoding: str = "utf-8"
    fallback_encoding: str | None = None
    quote: str = Field('"', max_length=1)
    escape: str = Field("", max_length=1)

    @field_validator("delimiter", "quote", "escape")
    @classmethod
    def _check_character(cls, value: str) -> str:
        if not value.isascii() or value in ("\n", "\r"):
            raise ValueError("expected one ASCII character other than a line end")
        return value

    @field_validator("encoding", "fallback_encoding")
    @classmethod
    def _check_encoding(cls, value: str | None) -> str | None:
        try:
            "".encode(value or "utf-8")
        except LookupError as error:
            raise ValueError("expected the name of a text encoding such as utf-8, cp1252 or gb18030") from error
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.header is True and self.columns:
            raise ValueError("columns names the columns of a file without a header; set header to false or auto")
        if self.header is not True and not self.columns:
            raise ValueError(f"with header: {str(self.header).lower()}, columns must name the columns")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("expected distinct names in columns")
        return self


class FileSource(Settings):
    """Files with rows of one kind.

    Attributes:
      files: Files, globs or directories, relative to the input; `.` is every data file of the input.
      exclude: Globs of files that are none of them.
      format: Inferred from the suffix where left out.
      csv: Options of CSV files.
      null_values: Texts that mean "no value"; blank always does.
      aliases: Column -> other names that it has in some files.
      filters: Which rows count.
      optional: Whether the files may be missing altogether; that is noted, and no error.
    """

    files: Names = Field((".",), min_length=1)
    exclude: Names = ()
    format: FileFormat | None = None
    csv: CsvOptions = CsvOptions()
    null_values: tuple[str, ...] = ("NULL", "null", "None", "NaN", "nan", "\\N")
    aliases: dict[str, Names] = Field(default_factory=dict)
    filters: tuple[Filter, ...] = ()
    optional: bool = False

    @field_validator("files", "exclude")
    @classmethod
    def _check_files(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            path = PurePosixPath(pattern)
            if not pattern or path.is_absolute() or ".." in path.parts:
                raise ValueError(f"expected paths below the input, received {pattern!r}")
        return value
