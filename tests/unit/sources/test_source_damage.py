"""Whatever is in a file: every row is accounted for, or there is one clear error."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from interest_migration.errors import DataError
from interest_migration.sources.mapping import SourceMapping

Read = Callable[[SourceMapping, object], tuple[list[dict[str, Any]], list[dict[str, Any]]]]

relaxed = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

FIELDS = {
    "user": "u",
    "time": {"column": "t", "format": "unix_s"},
    "action": "a",
    "item": "i",
    "category_path": {"column": "c", "separator": "/"},
    "price": "p",
    "quantity": "q",
    "extras": ["x"],
}
NAMES = ("u", "t", "a", "i", "c", "p", "q", "x")
GOOD = ("7", "1500000000", "view", "9", "a/b", "1.5", "2", "z")
MAPPING = SourceMapping.from_values({"name": "m", "streams": [{"name": "s", "fields": FIELDS}]}, source="test")
CSV = "\n".join(",".join(row) for row in [NAMES, *[GOOD] * 30]).encode()
JSONL = "\n".join(json.dumps(dict(zip(NAMES, GOOD, strict=True))) for _ in range(30)).encode()


def _require_clear(message: str, path: Path) -> None:
    assert path.name in message
    assert "expected" in message


def _outcome(read: Read, path: Path) -> int | None:
    """Rows accounted for; None after a clear error."""
    try:
        events, rejects = read(MAPPING, path)
    except DataError as error:
        _require_clear(str(error), path)
        return None
    positions = sorted(row["source_row"] for row in [*events, *rejects])
    assert positions == list(range(len(positions)))
    return len(positions)


def _flip(data: bytes, changes: list[tuple[float, int]], cut: float) -> bytes:
    damaged = bytearray(data)
    for place, value in changes:
        damaged[int(place * (len(data) - 1))] = value
    return bytes(damaged[: int(cut * len(data))])


CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8)
CUT = st.just(1.0) | st.floats(0, 1)


@relaxed
@given(CHANGES, CUT)
def test_damaged_csv(read: Read, tmp_path: Path, changes: list[tuple[float, int]], cut: float) -> None:
    (tmp_path / "x.csv").write_bytes(_flip(CSV, changes, cut))
    _outcome(read, tmp_path / "x.csv")


@relaxed
@given(CHANGES, CUT)
def test_damaged_jsonl(read: Read, tmp_path: Path, changes: list[tuple[float, int]], cut: float) -> None:
    data = _flip(JSONL, changes, cut)
    (tmp_path / "x.jsonl").write_bytes(data)
    rows = _outcome(read, tmp_path / "x.jsonl")
    assert rows is None or rows == sum(bool(line.strip()) for line in data.split(b"\n"))


@relaxed
@given(CHANGES, CUT)
def test_damaged_gzip(read: Read, tmp_path: Path, changes: list[tuple[float, int]], cut: float) -> None:
    (tmp_path / "x.csv.gz").write_bytes(_flip(gzip.compress(CSV), changes, cut))
    _outcome(read, tmp_path / "x.csv.gz")


@relaxed
@given(CHANGES, CUT)
def test_damaged_parquet(
    read: Read, tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, int]], cut: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.parquet"
    columns = {name: [value] * 30 for name, value in zip(NAMES, GOOD, strict=True)}
    pq.write_table(pa.table(columns), path)
    path.write_bytes(_flip(path.read_bytes(), changes, cut))
    _outcome(read, path)


@relaxed
@given(st.binary(max_size=300))
@example(b"u")
@example(b'"')
@example(b"\x00" * 50)
def test_noise(read: Read, tmp_path: Path, data: bytes) -> None:
    for name in ("x.csv", "x.jsonl", "x.csv.gz", "x.jsonl.zst", "x.csv.xz", "x.csv.bz2", "x.csv.lz4", "x.parquet"):
        (tmp_path / name).write_bytes(data)
        _outcome(read, tmp_path / name)


CELLS = st.sampled_from(GOOD) | st.text(st.characters(blacklist_characters='",\r\n', codec="utf-8"), max_size=6)


@relaxed
@given(st.permutations(NAMES), st.lists(st.lists(CELLS, min_size=7, max_size=9), max_size=10))
def test_every_csv_row_is_counted(read: Read, tmp_path: Path, names: list[str], rows: list[list[str]]) -> None:
    (tmp_path / "x.csv").write_text("\n".join(",".join(row) for row in [names, *rows]), encoding="utf-8", newline="")
    assert _outcome(read, tmp_path / "x.csv") == len(rows)


COLUMN = st.sampled_from(
    [
        pa.array([1, None, -3]),
        pa.array([1.5, float("nan"), None]),
        pa.array(["1500000000", "", "x"]),
        pa.array([b"\xff", b"7", None]),
        pa.array([True, False, None]),
        pa.array([[1], None, []]),
        pa.array([["a"], ["b", None], None]),
        pa.array([{"k": 1}, None, {"k": 2}]),
        pa.nulls(3),
        pa.array([10**9, 2, None], pa.timestamp("ns")),
        pa.array([1, 2, None], pa.date32()),
        pa.array([1, 2, None], pa.time64("us")),
        pa.array([1, 2, None], pa.duration("s")),
        pa.array(["view", None, "x"]).dictionary_encode(),
        pa.array([1, 2, None]).cast(pa.decimal128(38, 2)),
        pa.array([b"abcd", None, b"efgh"], pa.binary(4)),
        pa.array([2**64 - 1, 0, None], pa.uint64()),
        pa.array(["é", "b", None], pa.large_string()),
    ]
)


@relaxed
@given(st.lists(COLUMN, min_size=len(NAMES), max_size=len(NAMES)))
def test_any_type_in_any_column(read: Read, tmp_path: Path, columns: list[pa.Array]) -> None:
    pq.write_table(pa.table(dict(zip(NAMES, columns, strict=True))), tmp_path / "x.parquet")
    assert _outcome(read, tmp_path / "x.parquet") in (3, None)
