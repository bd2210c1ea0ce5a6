"""The first rows of a file about which nothing is known yet."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from interest_migration.errors import DataError
from interest_migration.sources.byte_streams import open_text
from interest_migration.sources.column_names import fold
from interest_migration.sources.draft_words import NAMES
from interest_migration.sources.file_readers import file_columns, read_raw
from interest_migration.sources.file_sources import FileFormat, FileSource
from interest_migration.sources.paths import file_format, infer_format
from interest_migration.sources.raw import readable

SAMPLE_ROWS: Final = 20_000
_HEAD_BYTES: Final = 4 << 20
_LINES: Final = 100
_DATA = re.compile(r"^[\s$€£]*[+-]?[\d.,:/\-]+([ T][\d.:]+)?(Z| UTC)?\s*$|@|\d{5,}")


@dataclass(frozen=True)
class Sample:
    """Up to `SAMPLE_ROWS` rows of one file.

    Attributes:
      path: The file.
      format: What it is.
      options: Keys of a file source, beyond `files`, that it takes to read it; only those that are not the default.
      columns: Name -> `[N]` values.
      rows: N.
      remarks: What is odd about the file.
    """

    path: str
    format: FileFormat
    options: Mapping[str, Any]
    columns: Mapping[str, pa.Array]
    rows: int
    remarks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the file, without its folder."""
        return Path(self.path).name


def read_sample(path: str) -> Sample:
    """Reads the start of a file, having found out how it is written.

    Raises:
      DataError: If it is no CSV, JSON-lines or Parquet file, or has no rows.
    """
    if Path(path).is_dir():
        raise DataError(f"{path}: expected a file, received a folder; name some of its files instead")
    kind = infer_format(path) or _guess_format(path)
    options: dict[str, Any] = {} if infer_format(path) else {"format": kind}
    if kind != "parquet":
        encoding, head = _read_head(path)
        if kind == "csv" and head.lstrip().startswith(("{", "[{")):
            kind, options["format"] = "jsonl", "jsonl"
        written = {} if encoding == "utf-8" else {"encoding": encoding}
        if kind == "csv":
            written |= _sniff_csv(path, head)
        options |= {"csv": written} if written else {}
    source = FileSource.from_values({**options, "files": "sample"}, source=path)
    file_format(source, path)
    names, remarks = _usable_names(source, path, kind)
    columns, rows = _read_rows(source, path, kind, names)
    if not rows:
        raise DataError(f"{path}: expected rows to learn from, received none that can be read")
    return Sample(path, kind, options, columns, rows, remarks)


def _guess_format(path: str) -> FileFormat:
    with readable(path, "a readable file"), Path(path).open("rb") as file:
        return "parquet" if file.read(4) == b"PAR1" else "csv"


def _read_head(path: str) -> tuple[str, str]:
    """Returns the encoding and the first characters of a text file."""
    with readable(path, "a text file"):
        data = _read_as(path, "iso-8859-1")
        raw = data.encode("iso-8859-1")
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "utf-16", _read_as(path, "utf-16")
        encoding = _guess_encoding(raw)
        return encoding, raw.decode(encoding, "replace").removeprefix("\ufeff")


def _read_as(path: str, encoding: str) -> str:
    text, data = open_text(path, encoding), b""
    while len(data) < _HEAD_BYTES and (more := text.read(_HEAD_BYTES - len(data))):
        data += more
    return data.decode("utf-8", "ignore")


def _guess_encoding(raw: bytes) -> str:
    """UTF-8 if it is; GB 18030 where bytes above 127 come in pairs; else Latin-1 or Windows 1252."""
    try:
        raw[: raw.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError:
        high = re.findall(rb"[\x80-\xff]+", raw)
        paired = sum(len(run) for run in high if len(run) >= 2)
        if paired > 0.8 * sum(map(len, high)):
            return "gb18030"
        return "cp1252" if re.search(rb"[\x80-\x9f]", raw) else "iso-8859-1"
    return "utf-8"


def _sniff_csv(path: str, head: str) -> dict[str, Any]:
    """Returns the options of a CSV file that are not the default."""
    lines = head[: head.rfind("\n") + 1] or head
    records = {delimiter: _records(lines, delimiter) for delimiter in ",;\t|"}
    delimiter = max(records, key=lambda mark: _regularity(records[mark]))
    found = records[delimiter]
    if not found:
        raise DataError(f"{path}: expected rows to learn from, received an empty file")
    if len(found[0]) < 2:
        raise DataError(f"{path}: expected values between commas, semicolons, tabs or bars, received one column")
    options: dict[str, Any] = {} if delimiter == "," else {"delimiter": delimiter}
    if not _is_header(found):
        options |= {"header": False, "columns": [f"column_{number}" for number in range(1, len(found[0]) + 1)]}
    return options


def _records(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found: list[list[str]] = []
    try:
        for record in reader:
            found += [record] if record else []
            if len(found) == _LINES:
                break
    except csv.Error:
        pass
    return found


def _regularity(records: list[list[str]]) -> tuple[float, int]:
    """How regular a file looks: the share of records of the usual width, 0 if that is 1, and the width."""
    if not records:
        return 0.0, 0
    width, count = Counter(map(len, records)).most_common(1)[0]
    return (0.0 if width < 2 else round(count / len(records), 1)), width


def _is_header(records: list[list[str]]) -> bool:
    """Whether the first record names the columns: no value in it looks like data or occurs below it."""
    first = [cell.strip() for cell in records[0]]
    known = {name for names in NAMES.values() for name in names}
    if sum(fold(cell) in known for cell in first) >= 2:
        return True
    if any(_DATA.search(cell) for cell in first) or len(set(first)) < len(first):
        return False
    below = [set(column) for column in zip(*(row for row in records[1:] if len(row) == len(first)), strict=True)]
    return not any(cell in values for cell, values in zip(first, below, strict=False))


def _usable_names(source: FileSource, path: str, kind: FileFormat) -> tuple[list[str], tuple[str, ...]]:
    names = file_columns(source, path, kind)
    if kind == "parquet":
        schema = pq.read_schema(path)
        names = tuple(name for name in names if not pa.types.is_struct(schema.field(name).type))
    counts = Counter(names)
    twice = [name for name, count in counts.items() if count > 1]
    remarks = [f"column {name!r} occurs more than once and is left out" for name in twice]
    if "" in counts:
        remarks.append("a column without a name (a row number?) is left out")
    return [name for name in counts if name and counts[name] == 1], tuple(remarks)


def _read_rows(source: FileSource, path: str, kind: FileFormat, names: list[str]) -> tuple[dict[str, pa.Array], int]:
    parts: list[Mapping[str, pa.Array]] = []
    rows = 0
    for batch in read_raw(source, path, kind, names, [], names):
        if len(batch):
            parts.append(batch.columns)
            rows += len(batch)
        if rows >= SAMPLE_ROWS:
            break
    if len({tuple(column.type for column in part.values()) for part in parts}) > 1:
        parts, rows = parts[:1], len(next(iter(parts[0].values())))
    columns = {name: _chain([part[name] for part in parts])[:SAMPLE_ROWS] for name in names} if parts else {}
    return columns, min(rows, SAMPLE_ROWS)


def _chain(parts: list[pa.Array]) -> pa.Array:
    plain = [part.cast(part.type.value_type) if pa.types.is_dictionary(part.type) else part for part in parts]
    return pa.concat_arrays(plain)
