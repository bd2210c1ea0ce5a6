"""CSV and JSON-lines files: rows, positions, and what is broken."""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interest_migration.errors import DataError
from interest_migration.sources import byte_streams, csv_files, jsonl_files
from interest_migration.sources.csv_files import read_csv
from interest_migration.sources.file_sources import CsvOptions
from interest_migration.sources.jsonl_files import read_jsonl
from interest_migration.sources.raw import RawBatch, check_text, require_columns


def _rows(batches: Any) -> tuple[dict[int, tuple[Any, ...]], list[int], list[int]]:
    """Good rows by position, positions of broken rows, and of undecodable ones."""
    good: dict[int, tuple[Any, ...]] = {}
    broken: list[int] = []
    undecodable: list[int] = []
    batch: RawBatch
    for batch in batches:
        values = zip(*(column.to_pylist() for column in batch.columns.values()), strict=True)
        good.update(zip(batch.rows.tolist(), values, strict=False))
        broken += batch.broken.tolist()
        undecodable += batch.rows[batch.undecodable].tolist()
    return good, broken, undecodable


def _csv(path: Path, data: bytes, **options: Any) -> Any:
    path.write_bytes(data)
    return _rows(read_csv(str(path), CsvOptions(**options), ("a", "b")))


def test_csv_values_are_text_in_the_order_asked_for(tmp_path: Path) -> None:
    good, broken, undecodable = _csv(tmp_path / "x.csv", b"b,c,a\n1,x,007\n2.50,y,\n")
    assert good == {0: ("007", "1"), 1: ("", "2.50")}
    assert (broken, undecodable) == ([], [])


def test_csv_broken_rows_keep_their_positions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 16)
    data = b"a,b\n0,0\n1\n\n2,2\n3,3,3\n4,4\n" + b"".join(b"%d,%d\n" % (n, n) for n in range(5, 40)) + b"40\n"
    good, broken, _ = _csv(tmp_path / "x.csv", data)
    assert broken == [1, 3, 40]
    assert good == {n: (str(n), str(n)) for n in range(40) if n not in (1, 3)}


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_csv_line_ends(end: bytes, tmp_path: Path) -> None:
    assert _csv(tmp_path / "x.csv", end.join([b"a,b", b"1,2", b"", b"3,4"]))[0] == {0: ("1", "2"), 1: ("3", "4")}


@pytest.mark.parametrize(
    "data",
    [b"\xef\xbb\xbfa,b\n1,2\n", b"\n\na,b\n1,2\n", b' a ,"b"\n1,2\n', b"a,x,x,b\n1,7,8,2\n", b"a,,b\n1,9,2"],
    ids=["byte-order mark", "blank lines", "spaced names", "other names twice", "a name missing"],
)
def test_csv_odd_headers(data: bytes, tmp_path: Path) -> None:
    assert _csv(tmp_path / "x.csv", data)[0] == {0: ("1", "2")}


def test_csv_quotes_and_escapes(tmp_path: Path) -> None:
    assert _csv(tmp_path / "x.csv", b'a,b\n"1,\n""x""",2\n')[0] == {0: ('1,\n"x"', "2")}
    assert _csv(tmp_path / "x.csv", b'a,b\n"1,2\n3,"4\n', quote="")[0] == {0: ('"1', "2"), 1: ("3", '"4')}
    assert _csv(tmp_path / "x.csv", b"a;b\n'1;2';3\n", quote="'", delimiter=";")[0] == {0: ("1;2", "3")}
    assert _csv(tmp_path / "x.csv", b"a,b\n1\\,1,2\n", escape="\\")[0] == {0: ("1,1", "2")}


def test_csv_without_header(tmp_path: Path) -> None:
    options: dict[str, Any] = {"header": False, "columns": ("b", "a")}
    assert _csv(tmp_path / "x.csv", b"1,2\n3,4\n", **options)[0] == {0: ("2", "1"), 1: ("4", "3")}


@pytest.mark.parametrize("header", [b"", b"b,a\n", b"\xef\xbb\xbfB,A\r\n"])
def test_csv_header_auto(header: bytes, tmp_path: Path) -> None:
    options: dict[str, Any] = {"header": "auto", "columns": ("b", "a")}
    assert _csv(tmp_path / "x.csv", header + b"1,2\n", **options)[0] == {0: ("2", "1")}


def test_csv_header_auto_in_another_order(tmp_path: Path) -> None:
    options: dict[str, Any] = {"header": "auto", "columns": ("b", "a")}
    assert _csv(tmp_path / "x.csv", b"a,b\n1,2\n", **options)[0] == {0: ("1", "2")}


@pytest.mark.parametrize("data", [b"", b"\n\r\n", b"\xef\xbb\xbf", b"a,b\n", b"a,b"])
def test_csv_files_without_rows(data: bytes, tmp_path: Path) -> None:
    assert _csv(tmp_path / "x.csv", data) == ({}, [], [])


@pytest.mark.parametrize("place", [0, 4, 8])
def test_csv_blank_lines_by_the_megabyte_hide_no_row(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 1 << 16)
    data = b"a,b\n1,2\n3,4\n"
    data = data[:place] + b"\n" * (3 << 20) + data[place:]
    assert _csv(tmp_path / "x.csv", data)[0] == {0: ("1", "2"), 1: ("3", "4")}


def test_csv_nul_characters_spoil_their_row_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 64)  # at the edges of blocks Arrow lost rows with such characters
    data = b"a,b\n" + b"".join(b"%d,%s\n" % (n, b"\0" * 9 if n % 7 == 3 else b'"x"') for n in range(99))
    good, broken, undecodable = _csv(tmp_path / "x.csv", data)
    spoilt = list(range(3, 99, 7))
    assert (broken, undecodable) == ([], spoilt)
    assert good == {n: (str(n), None if n in spoilt else "x") for n in range(99)}


def test_csv_other_encodings(tmp_path: Path) -> None:
    text = "a,b\nÄpfel,1\n" * 2
    for encoding in ("cp1252", "utf-16", "utf-16-le", "gb18030", "utf-8-sig"):
        source = text.replace("Ä", "中") if encoding == "gb18030" else text
        good = _csv(tmp_path / "x.csv", source.encode(encoding), encoding=encoding)[0]
        assert good[0] == (source.split("\n")[1].split(",")[0], "1")


def test_csv_bytes_outside_the_encoding_spoil_their_row_only(tmp_path: Path) -> None:
    good, _, undecodable = _csv(tmp_path / "x.csv", b"a,b\nok,\xc3\xa9\n\xff\xfe,2\ncaf\xe9,3\n")
    assert good == {0: ("ok", "é"), 1: (None, "2"), 2: (None, "3")}
    assert undecodable == [1, 2]
    _, broken, undecodable = _csv(tmp_path / "x.csv", b"a,b\n\xff\n1,2\n\xff,2\n")
    assert (broken, undecodable) == ([0], [2])
    good, _, undecodable = _csv(tmp_path / "x.csv", b"a,b\n\x81,1\n\xe9,2\n", encoding="cp1252")
    assert (good, undecodable) == ({0: (None, "1"), 1: ("é", "2")}, [0])


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    "lz4": lambda data: pa.compress(data, "lz4", asbytes=True),
}


@pytest.mark.parametrize(("suffix", "compress"), COMPRESSIONS.items(), ids=COMPRESSIONS)
def test_compressed_files(suffix: str, compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    assert _csv(tmp_path / f"x.csv.{suffix}", compress(b"a,b\n1,2\n"))[0] == {0: ("1", "2")}
    (tmp_path / f"x.jsonl.{suffix}").write_bytes(compress(b'{"a": 1}\n'))
    assert _rows(read_jsonl(str(tmp_path / f"x.jsonl.{suffix}"), "utf-8", ["a"]))[0] == {0: (1,)}


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst", "lz4"])
def test_a_file_that_expands_out_of_all_proportion_is_refused_in_bounded_memory(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byte_streams, "FREE_BYTES", 1 << 20)
    monkeypatch.setattr(byte_streams, "MAX_EXPANSION", 20)
    bomb = b"a,b\n" + b"1,2\n" * (2 << 20)
    (tmp_path / f"x.csv.{suffix}").write_bytes(COMPRESSIONS[suffix](bomb))
    rows: list[int] = []
    with pytest.raises(DataError, match=r"x.csv.*received one that expands to more than 20 times its size; if it is"):
        rows.extend(map(len, read_csv(str(tmp_path / f"x.csv.{suffix}"), CsvOptions(), ("a", "b"))))
    assert sum(rows) < 1 << 19


def test_a_small_file_may_expand_as_it_likes(tmp_path: Path) -> None:
    data = b"a,b\n" + b"1,2\n" * (1 << 18)
    (tmp_path / "x.csv.xz").write_bytes(lzma.compress(data))
    assert (tmp_path / "x.csv.xz").stat().st_size * byte_streams.MAX_EXPANSION < len(data)
    assert sum(map(len, read_csv(str(tmp_path / "x.csv.xz"), CsvOptions(), ("a", "b")))) == 1 << 18


def test_gzip_members_one_after_the_other(tmp_path: Path) -> None:
    data = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n")
    assert _csv(tmp_path / "x.csv.gz", data)[0] == {0: ("1", "2"), 1: ("3", "4")}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"x,y\n1,2\n", r"expected the columns 'a', 'b' .* received 2 others in the first row .*; correct the mapping"),
        (b"a,B\n1,2\n", r"received a, B; did you mean 'B' for 'b'\?"),
        (b"a;b\n1;2\n", r"the first row was not split at ',': set `delimiter`"),
        (b"7,mueller@example.org\n", r"received 2 others in the first row \(is it a header\?\)"),
        (b"a,b,a\n1,2,3\n", "expected distinct columns, received a more than once"),
        (b"\xff\xfe" + "a,b\n1,2\n".encode("utf-16-le"), "received utf-16; set `encoding: utf-16`"),
        (b"PAR1\x15\x04", "received a Parquet file; set `format: parquet`"),
        (gzip.compress(b"a,b", mtime=0), "received gzip data; end the file's name in .gz"),
        (b"PK\x03\x04zip", "received a zip archive; unpack it"),
        (b"a,b\xe9\n1,2\n", "expected a header in utf-8, received other bytes"),
        (b"x" * (2 << 20), "received no end of row"),
        (b'a,b\n1,"' + b"2\n" * (5 << 20), "rows below 8 MiB and quotes closed"),
    ],
)
def test_csv_files_that_cannot_be_read(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as caught:
        _csv(tmp_path / "x.csv", data)
    assert str(tmp_path / "x.csv") in str(caught.value)
    assert "mueller" not in str(caught.value)


@pytest.mark.parametrize("size", [20, 200])
def test_truncated_compressed_files(size: int, tmp_path: Path) -> None:
    whole = gzip.compress(b"a,b\n" + json.dumps(list(range(20000))).replace(", ", "\n").encode())
    with pytest.raises(DataError, match="check that the file is complete"):
        _csv(tmp_path / "x.csv.gz", whole[:size])


def _jsonl(path: Path, data: bytes, columns: tuple[str, ...] = ("a", "b"), **options: Any) -> Any:
    path.write_bytes(data)
    return _rows(read_jsonl(str(path), "utf-8", columns, **options))


def test_jsonl_rows(tmp_path: Path) -> None:
    data = b'{"a": "x", "b": 1, "c": []}\n\n  \n{"b": 2.5}\r\n{"a": null, "b": 3}'
    assert _jsonl(tmp_path / "x.jsonl", data) == ({0: ("x", 1.0), 1: (None, 2.5), 2: (None, 3.0)}, [], [])


def test_jsonl_times_stay_text(tmp_path: Path) -> None:
    good = _jsonl(tmp_path / "x.jsonl", b'{"a": "2017-01-01T00:00:00Z", "b": "2017-01-01"}\n')[0]
    assert good == {0: ("2017-01-01T00:00:00Z", "2017-01-01")}


def test_jsonl_broken_lines_spoil_themselves_only(tmp_path: Path) -> None:
    lines = [
        b'{"a": 1, "b": "x"}',
        b"{",
        b"[1]",
        b"7",
        b'{"a": "\xff"}',
        b'{"a": "\\ud83d"}',
        b'{"a": 2, "b": "y"}',
        b"{}{}",
    ]
    good, broken, undecodable = _jsonl(tmp_path / "x.jsonl", b"\n".join(lines))
    assert good == {0: ("1", "x"), 4: (None, None), 5: (None, None), 6: ("2", "y")}
    assert broken == [1, 2, 3, 7]
    assert undecodable == [4, 5]


def test_jsonl_mixed_and_nested_values_become_text(tmp_path: Path) -> None:
    lines = [{"a": 1, "b": {"c": [1]}}, {"a": "1", "b": True}, {"a": 2.0, "b": None}, {"a": 2**70, "b": [1, "x"]}]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    good = _jsonl(tmp_path / "x.jsonl", data, nested=("b",))[0]
    assert good == {
        0: ("1", '{"c": [1]}'),
        1: ("1", "true"),
        2: ("2", None),
        3: ("1180591620717411303424", '[1, "x"]'),
    }


def test_jsonl_lists_stay_lists_where_they_are_expected(tmp_path: Path) -> None:
    data = b'{"a": ["x", "y"], "b": [1]}\n{"a": [], "b": null}\n'
    good = _jsonl(tmp_path / "x.jsonl", data, nested=("a", "b"))[0]
    assert good == {0: (["x", "y"], ["1"]), 1: ([], None)}
    good, broken, _ = _jsonl(tmp_path / "x.jsonl", data + b'{"a": ["z"]}\n{"b": {}}\n', nested=("a",))
    assert (good, broken) == ({1: ([], None), 2: (["z"], None)}, [0, 3])


def test_jsonl_blocks_join_at_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_files, "BLOCK_BYTES", 13)
    data = b"".join(b'{"a": %d}\n' % n for n in range(50))
    assert _jsonl(tmp_path / "x.jsonl", data, ("a",))[0] == {n: (n,) for n in range(50)}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"user_id": 1}\n', r"expected the columns 'a' .* received user_id"),
        (b"a,b\n1,2\n", "expected one JSON object per line, received none in the first 2 lines"),
        (b"PAR1", "set `format: parquet`"),
    ],
)
def test_jsonl_files_that_cannot_be_read(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        _jsonl(tmp_path / "x.jsonl", data, required=("a",))


def test_jsonl_endless_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_files, "BLOCK_BYTES", 16)
    monkeypatch.setattr(jsonl_files, "MAX_LINE_BYTES", 64)
    with pytest.raises(DataError, match="received a longer one"):
        _jsonl(tmp_path / "x.jsonl", b'{"a": "' + b"x" * 200 + b'"}')


_JSON = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.text(max_size=2))
)


@settings(deadline=None, max_examples=50)
@given(objects=st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), _JSON), min_size=1, max_size=8))
def test_jsonl_every_object_is_a_row(objects: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "objects.jsonl"
    data = "\n".join(map(json.dumps, objects)).encode()
    good, broken, undecodable = _jsonl(path, data, nested=("a", "b"))
    assert (list(good), broken, undecodable) == (list(range(len(objects))), [], [])
    for row, value in enumerate(objects):
        assert [part is None for part in good[row]] == [value.get(name) is None for name in ("a", "b")]


def test_undecodable_values_of_slices_and_dictionaries() -> None:
    column = pa.array([b"skipped", b"ok", None, b"\xff", "é".encode()])[1:]
    decoded, bad = check_text(column)
    assert decoded.to_pylist() == ["ok", None, None, "é"]
    assert bad is not None
    assert bad.tolist() == [False, False, True, False]
    decoded, bad = check_text(column.dictionary_encode())
    assert decoded.to_pylist() == ["ok", None, None, "é"]
    assert bad is not None
    assert bad.tolist() == [False, False, True, False]


def test_undecodable_values_in_lists_and_of_fixed_width() -> None:
    lists = pa.array([[b"skipped"], [b"a", "é".encode()], None, [b"b", b"\xff"], []], pa.list_(pa.binary()))[1:]
    for column in (lists, lists.cast(pa.large_list(pa.binary()))):
        decoded, bad = check_text(column)
        assert decoded.to_pylist() == [["a", "é"], None, None, []]
        assert bad is not None
        assert bad.tolist() == [False, False, True, False]
    decoded, bad = check_text(pa.array([b"abc", b"\xff\xff\xff", None], pa.binary(3)))
    assert decoded.to_pylist() == ["abc", None, None]
    assert bad is not None
    assert bad.tolist() == [False, True, False]


def test_missing_columns_do_not_list_data() -> None:
    with pytest.raises(DataError, match="3 columns whose names look like data"):
        require_columns("x.csv", ["user"], ["alice", "2017-01-01", "buy"])
