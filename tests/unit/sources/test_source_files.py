"""Pieces of work and fingerprints."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interest_migration.errors import DataError
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources import files as files_module
from interest_migration.sources import parquet_files
from interest_migration.sources.file_readers import Part
from interest_migration.sources.files import Piece, fingerprint, plan_pieces
from interest_migration.sources.line_ranges import split_lines
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.parquet_files import read_parquet
from interest_migration.sources.reading import read_events

MappingOf = Callable[..., SourceMapping]


def test_text_files_are_one_piece_each(tmp_path: Path, mapping_of: MappingOf) -> None:
    for name in ("b.csv", "a.jsonl"):
        (tmp_path / name).write_text("u,t,a\n")
    assert plan_pieces(mapping_of(), str(tmp_path)) == [
        Piece("log", str(tmp_path / "a.jsonl"), "jsonl", Part(0, None, 0)),
        Piece("log", str(tmp_path / "b.csv"), "csv", Part(0, None, 0)),
    ]


def test_row_groups_are_put_together(
    mapping_of: MappingOf, write_parquet: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "PIECE_ROWS", 5)
    path = write_parquet("x.parquet", {"u": range(13)}, row_group_size=2)
    parts = [piece.part for piece in plan_pieces(mapping_of(), str(path))]
    assert parts == [Part(0, 2, 0), Part(2, 4, 4), Part(4, 7, 8)]


def test_row_groups_above_the_limit_stay_alone(
    mapping_of: MappingOf, write_parquet: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "PIECE_ROWS", 1)
    path = write_parquet("x.parquet", {"u": range(5)}, row_group_size=3)
    assert [piece.part for piece in plan_pieces(mapping_of(), str(path))] == [Part(0, 1, 0), Part(1, 2, 3)]


def test_pieces_travel(tmp_path: Path, mapping_of: MappingOf) -> None:
    (tmp_path / "x.csv").write_text("u,t,a\n")
    pieces = plan_pieces(mapping_of(), str(tmp_path))
    assert pickle.loads(pickle.dumps(pieces)) == pieces


def test_only_empty_files_are_refused(tmp_path: Path, mapping_of: MappingOf) -> None:
    (tmp_path / "x.csv").touch()
    with pytest.raises(DataError, match=r"received only empty files: .*x\.csv"):
        plan_pieces(mapping_of(), str(tmp_path))
    (tmp_path / "y.csv").write_text("u,t,a\n1,1,view\n")
    assert len(plan_pieces(mapping_of(), str(tmp_path))) == 2


def test_wide_parquet_rows_are_read_in_short_batches(
    write_parquet: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_files, "BATCH_BYTES", 10_000)
    options = {"use_dictionary": False, "compression": "zstd"}
    path = write_parquet("x.parquet", {"wide": ["x" * 1000] * 50, "other": ["y" * 5000] * 50}, **options)
    sizes = [len(batch) for batch in read_parquet(str(path), ["wide"])]
    assert sum(sizes) == 50
    assert 8 <= max(sizes) <= 10


def test_damaged_parquet_is_named(tmp_path: Path, mapping_of: MappingOf) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match=r"x\.parquet: expected a complete Parquet file"):
        plan_pieces(mapping_of(), str(tmp_path))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize("final", [True, False])
def test_cut_files_give_the_same_rows(
    end: str, suffix: str, final: bool, tmp_path: Path, mapping_of: MappingOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f'{{"u": {n}, "t": {n + 10**9}, "a": "view"}}' for n in range(60)]
    if suffix == "csv":
        lines = ["u,t,a", *(f"{n},{n + 10**9},view" for n in range(60))]
    path = tmp_path / f"x.{suffix}"
    path.write_bytes((end.join(lines) + (end if final else "")).encode())
    mapping = mapping_of()
    monkeypatch.setattr(files_module, "split_lines", lambda *args: split_lines(*args, range_bytes=150))
    pieces = plan_pieces(mapping, str(path))
    assert len(pieces) > 3
    rows = [
        (row["source_row"], row["time_s"])
        for index, piece in enumerate(pieces)
        for good, _ in read_events(piece, index, mapping, Pseudonymiser(bytes(32)))
        for row in good.to_pylist()
    ]
    assert rows == [(n, n + 10**9) for n in range(60)]


@pytest.mark.parametrize(
    ("name", "change", "stream"),
    [
        ("x.csv", lambda data: data.replace(b"5,", b'"5",', 1), {}),
        ("x.csv", lambda data: data.replace(b"\n5", b"\n\n5", 1), {}),
        ("x.csv", lambda data: data.replace(b"\n5", b"\r5", 1), {}),
        ("x.csv", lambda data: b"\n" + data, {}),
        ("x.csv", lambda data: b"\xef\xbb\xbf" + data, {}),
        ("x.csv", lambda data: data.replace(b"\n", b" "), {}),
        ("x.csv.bz2", lambda data: data, {}),
        ("x.csv", lambda data: data, {"csv": {"encoding": "utf-16"}}),
        ("x.csv", lambda data: data.replace(b"5,", b"\\5,", 1), {"csv": {"escape": "\\"}}),
        ("x.jsonl", lambda data: data.replace(b"\n5", b"\n \n5", 1), {}),
    ],
    ids=["quote", "blank", "return", "blank first", "mark", "one line", "compressed", "encoding", "escape", "spaces"],
)
def test_doubtful_files_stay_whole(
    name: str, change: Callable[[bytes], bytes], stream: dict[str, Any], tmp_path: Path, mapping_of: MappingOf
) -> None:
    plain = b"u,t,a\n" + b"".join(b"%d,1,view\n" % n for n in range(60))
    source = mapping_of(**stream).streams[0]
    kind = "jsonl" if "jsonl" in name else "csv"
    (tmp_path / name).write_bytes(change(plain))
    assert split_lines(source, str(tmp_path / name), kind, range_bytes=100) == [Part()]


def _shop(folder: Path) -> SourceMapping:
    (folder / "day").mkdir(parents=True)
    (folder / "day/a.csv").write_text("u,t,a,c\n1,1,view,7\n")
    (folder / "day/b.csv").write_text("u,t,a,c\n2,2,view,7\n")
    (folder / "items.csv").write_text("id\n1\n")
    (folder / "users.csv").write_text("id,age\n1,20\n")
    (folder / "campaigns.csv").write_text("c,channel\n7,mail\n")
    stream = {
        "name": "s",
        "files": "day",
        "joins": [{"files": "campaigns.csv", "column": "c", "columns": ["channel"]}],
        "fields": {"user": "u", "time": {"column": "t", "format": "unix_s"}, "action": "a", "platform": "channel"},
    }
    tables = {
        "items": {"files": "items.csv", "id": "id"},
        "users": {"files": "users.csv", "id": "id", "attributes": ["age"]},
    }
    return SourceMapping.from_values({"name": "shop", "streams": [stream], **tables}, source="test")


def test_fingerprint_knows_no_place_and_no_time(tmp_path: Path) -> None:
    mapping = _shop(tmp_path / "here")
    before = fingerprint(mapping, str(tmp_path / "here"))
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    os.utime(tmp_path / "there/day/a.csv", (1, 1))
    (tmp_path / "there/unrelated.csv").write_text("x")
    assert fingerprint(mapping, str(tmp_path / "there")) == before
    assert len(before) == 32


@pytest.mark.parametrize("name", ["day/a.csv", "items.csv", "users.csv", "campaigns.csv"])
def test_fingerprint_sees_every_byte_of_every_file(name: str, tmp_path: Path) -> None:
    mapping = _shop(tmp_path / "shop")
    before = fingerprint(mapping, str(tmp_path / "shop"))
    file = tmp_path / "shop" / name
    file.write_bytes(file.read_bytes()[:-1] + b" ")
    assert fingerprint(mapping, str(tmp_path / "shop")) != before


def test_fingerprint_sees_new_and_renamed_files(tmp_path: Path) -> None:
    mapping = _shop(tmp_path / "shop")
    seen = {fingerprint(mapping, str(tmp_path / "shop"))}
    (tmp_path / "shop/day/c.csv").write_text("u,t,a,c\n")
    seen.add(fingerprint(mapping, str(tmp_path / "shop")))
    (tmp_path / "shop/day/c.csv").rename(tmp_path / "shop/day/d.csv")
    seen.add(fingerprint(mapping, str(tmp_path / "shop")))
    assert len(seen) == 3


def test_fingerprint_of_one_file_does_not_depend_on_its_name(tmp_path: Path, mapping_of: MappingOf) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("u,t,a\n1,1,view\n")
    assert fingerprint(mapping_of(), str(tmp_path / "a.csv")) == fingerprint(mapping_of(), str(tmp_path / "b.csv"))
