"""What files of other people do: other names, other spellings, other encodings, other forms of time."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from interest_migration.errors import DataError
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.column_names import find_columns
from interest_migration.sources.fields import TimeField
from interest_migration.sources.file_sources import FileSource
from interest_migration.sources.files import absent_files, fingerprint, plan_pieces
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.paths import resolve_root, source_files
from interest_migration.sources.python_lines import parse_line
from interest_migration.sources.tables import load_items, load_users
from interest_migration.sources.times import parse_times

MappingOf = Callable[..., SourceMapping]
Read = Callable[[SourceMapping, object], tuple[list[dict[str, Any]], list[dict[str, Any]]]]


def _write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def _found(folder: Path, **source: Any) -> list[str]:
    paths = source_files(FileSource.from_values(source, source="test"), resolve_root(str(folder)), "test")
    return [Path(path).relative_to(folder).as_posix() for path in paths]


def test_a_name_stands_for_its_compressed_form_where_the_plain_one_is_missing(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv.gz", "b.csv", "b.csv.gz", "c.csv.zst", "d.csv.zip")
    assert _found(tmp_path, files="*.csv") == ["a.csv.gz", "b.csv", "c.csv.zst"]
    assert _found(tmp_path, files="a.csv") == ["a.csv.gz"]
    assert _found(tmp_path, files="b.csv") == ["b.csv"]
    assert _found(tmp_path, files="b*") == ["b.csv", "b.csv.gz"]
    with pytest.raises(DataError, match=r"expected files \*\* for test in"):
        _found(tmp_path, files="**")


def test_case_of_names_counts_only_where_it_tells_files_apart(tmp_path: Path) -> None:
    _write(tmp_path, "jdata_action_1.CSV", "sub/JDATA_User.csv")
    assert _found(tmp_path, files="JData_Action*.csv") == ["jdata_action_1.CSV"]
    assert _found(tmp_path, files="**/jdata_user.csv") == ["sub/JDATA_User.csv"]
    _write(tmp_path, "JData_Action_2.csv")
    assert _found(tmp_path, files="JData_Action*.csv") == ["JData_Action_2.csv"]


def test_files_that_systems_leave_behind_are_none(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", "__MACOSX/._a.csv", ".ipynb_checkpoints/a.csv", ".trash/b.csv")
    assert _found(tmp_path, files="**/*.csv") == ["a.csv"]
    assert _found(tmp_path, files=".trash/*.csv") == [".trash/b.csv"]


def test_excluded_files(tmp_path: Path) -> None:
    _write(tmp_path, "Toys.jsonl", "meta_Toys.jsonl", "sub/meta_Books.jsonl.gz", "sub/Books.jsonl.gz")
    assert _found(tmp_path, files="**/*.jsonl", exclude="**/*meta*") == ["Toys.jsonl", "sub/Books.jsonl.gz"]


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        ("user", ["user", "User"], "user"),
        ("user", ["User", "x"], "User"),
        ("CustomerID", ["Customer ID"], "Customer ID"),
        ("user_id", ["USER-ID "], "USER-ID "),
        ("Invoice", ["InvoiceNo", "x"], "InvoiceNo"),
        ("Invoice", ["invoice_no"], "invoice_no"),
        ("user", ["USER", "User"], "user"),
        ("user", ["usr"], "user"),
        ("用户", ["用户"], "用户"),
        ("_", ["-"], "_"),
    ],
)
def test_columns_are_found_by_name_then_by_alias_then_by_spelling(wanted: str, found: list[str], expected: str) -> None:
    assert find_columns([wanted], found, {"Invoice": ["InvoiceNo"]}) == {wanted: expected}


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_spelling_of_columns_does_not_matter_in_any_format(
    suffix: str, tmp_path: Path, mapping_of: MappingOf, read: Read, write_parquet: Callable[..., Path]
) -> None:
    row = {"U ": "7", "T": "1500000000", "A": "view", "Sku No": "x"}
    if suffix == "parquet":
        write_parquet("log.parquet", {name: [value] for name, value in row.items()})
    elif suffix == "jsonl":
        (tmp_path / "log.jsonl").write_text(json.dumps(row))
    else:
        (tmp_path / "log.csv").write_text("\ufeff" + ",".join(row) + "\n" + ",".join(row.values()) + "\n")
    events, rejects = read(mapping_of({"item": "sku_no"}, aliases={"t": "when"}), tmp_path)
    assert [(event["time_s"], event["action"], event["item"]) for event in events] == [(1500000000, "view", "x")]
    assert rejects == []


def test_encoding_is_settled_file_by_file(tmp_path: Path, mapping_of: MappingOf, read: Read) -> None:
    head = "u,t,a,text\n" + "1,1500000000,view,plain\n" * 3
    (tmp_path / "a.csv").write_bytes((head + "1,1500000000,view,26-35岁\n").encode("gb18030"))
    (tmp_path / "b.csv").write_bytes((head + "1,1500000000,view,26-35岁\n").encode())
    csv = {"encoding": "utf-8", "fallback_encoding": "gb18030"}
    events, rejects = read(mapping_of({"text": "text"}, csv=csv), tmp_path)
    assert [event["text"] for event in events if event["text"] != "plain"] == ["26-35岁", "26-35岁"]
    assert rejects == []
    alone, undecodable = read(mapping_of({"text": "text"}), tmp_path / "a.csv")
    assert (len(alone), [row["reason"] for row in undecodable]) == (3, ["undecodable_text"])


def test_several_forms_of_time_in_one_column() -> None:
    field = TimeField(column="t", format=["%m/%d/%Y %H:%M", "iso8601", "unix_s"])
    texts = ["1/2/2017 0:00", "2017-01-02 00:00:00", "1483315200", "13/1/2017 0:00", None, "1/2/2017 0:00"]
    seconds, missing, bad = parse_times(pa.array(texts), field, ())
    assert seconds.tolist() == [1483315200, 1483315200, 1483315200, 0, 0, 1483315200]
    assert bad.tolist() == [False, False, False, True, False, False]
    assert missing.tolist() == [False, False, False, False, True, False]


def test_a_year_of_two_digits_is_not_one_of_four() -> None:
    texts = pa.array(["12/1/10 8:26", "12/1/2010 8:26"])
    assert parse_times(texts, TimeField(column="t", format="%m/%d/%Y %H:%M"), ())[2].tolist() == [True, False]
    both = TimeField(column="t", format=["%m/%d/%Y %H:%M", "%m/%d/%y %H:%M"])
    assert parse_times(texts, both, ())[0].tolist() == [1291191960, 1291191960]


@pytest.mark.parametrize("text", ["2017-01-01 00:00:01 UTC", "2017-01-01 00:00:01.5 GMT", "2017-01-01T00:00:01UTC"])
def test_utc_in_letters_is_a_zone(text: str) -> None:
    for others in ([], ["x", None]):
        seconds, _, bad = parse_times(pa.array([text, *others]), TimeField(column="t", timezone="Asia/Shanghai"), ())
        assert (seconds[0], bad[0]) == (1483228801, False)


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ({"keep": "1"}, ["a", "b"]),
        ({"drop": ["1"]}, ["c", "d"]),
        ({"keep_pattern": "^C"}, ["c"]),
        ({"drop_pattern": "(?i)^c"}, ["a", "b", "d"]),
    ],
)
def test_filters_by_text_and_by_pattern(
    condition: dict[str, Any], kept: list[str], mapping_of: MappingOf, read: Read, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(
        "u,t,a,i,k\n1,1500000000,view,a,1\n1,1500000000,view,b,1.0\n1,1500000000,view,c,C7\n1,1500000000,view,d,\n"
    )
    mapping = mapping_of({"item": "i"}, filters=[{"column": "k", "reason": "cancellation", **condition}])
    events, rejects = read(mapping, tmp_path)
    assert [event["item"] for event in events] == kept
    assert {row["reason"] for row in rejects} == {"cancellation"}
    assert len(events) + len(rejects) == 4


def test_fallbacks_of_texts(mapping_of: MappingOf, read: Read, tmp_path: Path) -> None:
    rows = [{"p": "A.0", "i": 1}, {"p": None, "i": 2.0}, {"p": "", "i": 3}, {"text": " ", "title": "t"}]
    head = {"u": 1, "t": 1500000000, "a": "review"}
    (tmp_path / "x.jsonl").write_text("".join(json.dumps({**head, **row}) + "\n" for row in rows))
    fields = {"item": {"column": "p", "fallback": "i"}, "text": {"column": "text", "fallback": ["body", "title"]}}
    events, _ = read(mapping_of(fields), tmp_path)
    assert [(event["item"], event["text"]) for event in events] == [
        *(("A.0", None), ("2", None), ("3", None), (None, "t")),
    ]


def test_optional_tables_and_streams_may_be_missing(
    tmp_path: Path, mapping_of: MappingOf, read: Read, pseudonymiser: Pseudonymiser
) -> None:
    (tmp_path / "x.csv").write_text("u,t,a,k\n1,1500000000,view,1\n")
    join = {"files": "joined.csv", "column": "k", "columns": ["channel"], "optional": True}
    tree = {"files": "tree.csv", "id": "i", "parent": "p", "optional": True}
    top = {
        "items": {"files": "items.csv", "id": "i", "category_path": {"column": "c", "tree": tree}, "optional": True},
        "users": {"files": "users.csv", "id": "u", "attributes": ["age"], "optional": True},
    }
    mapping = mapping_of({"platform": "channel"}, top, files="x.csv", joins=[join])
    events, _ = read(mapping, tmp_path)
    assert [event["platform"] for event in events] == [None]
    assert load_items(mapping, str(tmp_path)) is None
    assert load_users(mapping, str(tmp_path), pseudonymiser) is None
    assert [note.split(" is optional and absent: ")[0] for note in absent_files(mapping, str(tmp_path))] == [
        *("join log 0", "items", "users", "category tree of items"),
    ]
    before = fingerprint(mapping, str(tmp_path))
    (tmp_path / "tree.csv").write_text("i,p\n1,\n")
    assert fingerprint(mapping, str(tmp_path)) != before
    with pytest.raises(DataError, match="received none, not even optional ones"):
        plan_pieces(mapping_of(files="y.csv", optional=True), str(tmp_path))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"{'a': None, 'b': [['x']], 'c': u\"it's\"}", {"a": None, "b": [["x"]], "c": "it's"}),
        (b"{'a': print(1)}", None),
        (b"{'a': " + b"[" * 5000 + b"]" * 5000 + b"}", None),
        (b"{'a': 1", None),
        (b"{a: 1}", None),
        (b"['a']", None),
        (b"\xff", None),
        (b"{'a': '\xff'}", None),
    ],
)
def test_lines_of_json_or_of_python(line: bytes, expected: object) -> None:
    assert parse_line(line) == expected


def test_a_compressed_file_of_python_lines(tmp_path: Path, mapping_of: MappingOf, read: Read) -> None:
    lines = "{'u': 1, 't': 1500000000, 'a': 'view', 'x': \"it's\"}\n" * 60 + "{'u': 1, 't':\n"
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(lines.encode()))
    events, rejects = read(mapping_of({"text": "x"}), tmp_path)
    assert [event["text"] for event in events] == ["it's"] * 60
    assert [row["reason"] for row in rejects] == ["broken_row"]


def test_a_process_that_only_reads_ends_in_peace(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    script = (
        "from interest_migration.sources.file_readers import read_raw\n"
        "from interest_migration.sources.file_sources import FileSource\n"
        f"list(read_raw(FileSource(), {str(tmp_path / 'x.csv')!r}, 'csv', ['a', 'b'], []))\n"
    )
    root = Path(__file__).parents[3]
    codes = [subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode for _ in range(4)]
    assert codes == [0, 0, 0, 0]
