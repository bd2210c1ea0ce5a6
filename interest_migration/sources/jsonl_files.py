"""Files with one JSON object per line as raw batches.

Blocks of lines are parsed by Arrow with types taken from their first lines. A block that does not fit (a broken line,
a column with numbers and text) is parsed line by line instead; both ways give the same values.
"""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import compress
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.json as arrow_json

from interest_migration.errors import DataError
from interest_migration.sources.byte_streams import MARK, ByteStream, Chained, open_text
from interest_migration.sources.python_lines import parse_line
from interest_migration.sources.raw import RawBatch, raw_batch, readable, require_columns

BLOCK_BYTES: Final = 8 << 20
MAX_LINE_BYTES: Final = 64 << 20
_SAMPLE_LINES: Final = 50
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BROKEN: Final = "expected one JSON object, with a plain value for each column of the mapping"


def read_jsonl(
    path: str,
    encoding: str,
    columns: Sequence[str],
    required: Sequence[str] = (),
    nested: Collection[str] = (),
    start: int = 0,
    stop: int | None = None,
    first_row: int = 0,
) -> Iterator[RawBatch]:
    """Yields the rows of a JSON-lines file, or of a part of it that starts and ends between lines.

    A key that an object lacks is null; blank lines are no rows.

    Args:
      path: File.
      encoding: Python codec of its text.
      columns: Keys to read.
      required: Keys of which the start of the file must have an example.
      nested: Keys that may hold lists, which stay lists, and objects, which become JSON text. Such values of other keys
        make a line broken.
      start: First byte of the part.
      stop: Byte after the part; none is the end of the file.
      first_row: Position of the part's first row in the file.

    Raises:
      DataError: If the file cannot be read, or none of its first objects has a required key.
    """
    with readable(path, f"JSON lines in {encoding}"):
        text = open_text(path, encoding, start)
        stream = text if stop is None else Chained(b"", text, stop - start)
        for number, block in enumerate(_blocks(path, stream)):
            lines = [line for line in block.split(b"\n") if line and not line.isspace()]
            if number == 0 and start == 0:
                _check_keys(path, lines, required)
            yield from _parse(lines, columns, nested, first_row).slices()
            first_row += len(lines)


def _blocks(path: str, stream: ByteStream) -> Iterator[bytes]:
    """Yields whole lines, about `BLOCK_BYTES` at a time."""
    rest = b""
    while data := stream.read(BLOCK_BYTES):
        end = data.rfind(b"\n") + 1
        if end:
            yield rest + data[:end]
            rest = data[end:]
        else:
            rest += data
        if len(rest) > MAX_LINE_BYTES:
            raise DataError(f"{path}: expected lines below {MAX_LINE_BYTES >> 20} MiB, received a longer one")
    if rest:
        yield rest


def _check_keys(path: str, lines: Sequence[bytes], required: Sequence[str]) -> None:
    objects = [value for line in lines[:1000] if isinstance(value := _object(line), dict)]
    if not objects:
        if lines:
            raise DataError(f"{path}: expected one JSON object per line, received none in the first {len(lines)} lines")
        return
    require_columns(path, required, list(dict.fromkeys(key for value in objects for key in value)))


def _parse(lines: Sequence[bytes], columns: Sequence[str], nested: Collection[str], first_row: int) -> RawBatch:
    rows = np.arange(first_row, first_row + len(lines), dtype=np.int64)
    types = _sample_types(lines, columns, nested)
    if types is not None and (table := _parse_block(lines, types)) is not None:
        return raw_batch({name: table[name] for name in columns}, rows)
    objects = [_object(line) for line in lines]
    plain = [name for name in columns if name not in nested]
    good = np.array([_is_row(value, plain) for value in objects], np.bool_)
    kept = list(compress(objects, good))
    parsed = {name: _column([value.get(name) for value in kept]) for name in columns}
    return raw_batch(parsed, rows[good], rows[~good], _BROKEN)


def _is_row(value: Any, plain: Sequence[str]) -> bool:
    return isinstance(value, dict) and not any(isinstance(value.get(name), dict | list) for name in plain)


def _object(line: bytes) -> Any:
    return parse_line(line)


def _sample_types(
    lines: Sequence[bytes], columns: Sequence[str], nested: Collection[str]
) -> dict[str, pa.DataType] | None:
    """Types of the columns in the first lines, or None if Arrow cannot parse them into one type each."""
    objects = [_object(line) for line in lines[:_SAMPLE_LINES]]
    if not all(isinstance(value, dict) for value in objects):
        return None
    types = {}
    for name in columns:
        kinds = {type(value.get(name)) for value in objects} - {type(None)}
        if kinds <= {str}:
            types[name] = pa.string()
        elif kinds <= {bool}:
            types[name] = pa.bool_()
        elif kinds <= {int, float}:
            types[name] = pa.float64() if float in kinds else pa.int64()
        elif kinds <= {list} and name in nested:
            types[name] = pa.list_(
                pa.list_(pa.string()) if _has_paths([value.get(name) for value in objects]) else pa.string()
            )
        else:
            return None
    return types


def _parse_block(lines: Sequence[bytes], types: dict[str, pa.DataType]) -> dict[str, pa.Array] | None:
    data = b"\n".join(lines)
    try:
        table = arrow_json.read_json(
            pa.BufferReader(data),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=pa.schema(types.items()), unexpected_field_behavior="ignore"
            ),
        )
        table.validate(full=True)
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(lines):
        return None
    return {name: table[name].combine_chunks() for name in types}


def _column(values: list[Any]) -> pa.Array:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {list}:
        if _has_paths(values):
            paths = [[part for part in value or () if isinstance(part, list)] for value in values]
            texts = [[[_text(level) for level in path] for path in value] for value in paths]
            return pa.array(texts, pa.list_(pa.list_(pa.string())))
        parts = [None if value is None else [_text(part) for part in value] for value in values]
        return pa.array(parts, pa.list_(pa.string()))
    if kinds and (kinds <= {bool} or kinds <= {int, float}):
        try:
            return pa.array(values)
        except (pa.ArrowInvalid, OverflowError):
            pass  # integers beyond 64 bits: as text
    return pa.array([_text(value) for value in values], pa.string())


def _has_paths(values: Sequence[Any]) -> bool:
    """Whether these are lists of lists, such as several category paths of one item."""
    return any(isinstance(part, list) for value in values for part in value or ())


def _text(value: Any) -> str | None:
    """Returns UTF-8 text; lone surrogates, which JSON can spell, are marked as undecodable."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _LONE_SURROGATE.sub(MARK, text)
