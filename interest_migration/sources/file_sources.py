"""Settings of a set of files with rows: where they are and how they are written."""

from pathlib import PurePosixPath
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from interest_migration.settings import Settings

FileFormat = Literal["csv", "jsonl", "parquet"]


class CsvOptions(Settings):
    """How a CSV file is written.

    Attributes:
      delimiter: One character between values.
      header: `true`: the first row names the columns. `false`: `columns` names them. `auto`: the first row is a
        header if it holds exactly the names of `columns`, in any order.
      columns: Column names of files without a header.
      encoding: Any Python codec.
      quote: Quote character; empty where quotes mean nothing.
      escape: Escape character, if the file has one.
    """

    delimiter: str = Field(",", min_length=1, max_length=1)
    header: bool | Literal["auto"] = True
    columns: tuple[str, ...] = ()
    encoding: str = "utf-8"
    quote: str = Field('"', max_length=1)
    escape: str = Field("", max_length=1)

    @field_validator("delimiter", "quote", "escape")
    @classmethod
    def _check_character(cls, value: str) -> str:
        if not value.isascii() or value in ("\n", "\r"):
            raise ValueError("expected one ASCII character other than a line end")
        return value

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
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
      format: Inferred from the suffix where left out.
      csv: Options of CSV files.
      null_values: Texts that mean "no value"; blank always does.
    """

    files: tuple[str, ...] = Field((".",), min_length=1)
    format: FileFormat | None = None
    csv: CsvOptions = CsvOptions()
    null_values: tuple[str, ...] = ("NULL", "null", "None", "NaN", "nan", "\\N")

    @field_validator("files", mode="before")
    @classmethod
    def _expand_one(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("files")
    @classmethod
    def _check_files(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            path = PurePosixPath(pattern)
            if not pattern or path.is_absolute() or ".." in path.parts:
                raise ValueError(f"expected paths below the input, received {pattern!r}")
        return value
