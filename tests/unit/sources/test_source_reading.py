"""From files to events and rejects."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from interest_migration.errors import DataError
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.files import plan_pieces
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.raw import MAX_BATCH_ROWS
from interest_migration.sources.reading import read_events
from schemas.events import EVENT_SCHEMA, POSITION_FIELDS, REJECT_SCHEMA

MappingOf = Callable[..., SourceMapping]
Read = Callable[[SourceMapping, object], tuple[list[dict[str, Any]], list[dict[str, Any]]]]

# printf 1 | openssl dgst -sha256 -mac HMAC -macopt hexkey:(32 zero bytes), first 32 digits
USER_1 = "41e0a9448f91edba4b05c6c2fc0edb1d"

FULL = {
    "item": "i",
    "category_path": {"columns": ["c1", "c2"]},
    "brand": "b",
    "price": {"total_column": "total"},
    "quantity": "q",
    "text": "x",
    "session": "s",
    "platform": {"constant": "web"},
    "extras": ["e"],
}


def test_a_full_event_from_csv(tmp_path: Path, mapping_of: MappingOf, read: Read) -> None:
    (tmp_path / "x.csv").write_text(
        "u,t,a,i,c1,c2,b,total,q,x,s,e\n1,1483275206.9,purchase,1095275.0,Food,Tea,Own,3,2,hello,9,5\n"
    )
    events, rejects = read(mapping_of(FULL), tmp_path)
    assert events == [
        {
            "user": USER_1,
            "time_s": 1483275206,
            "action": "purchase",
            "item": "1095275",
            "category_path": "Food > Tea",
            "brand": "Own",
            "price": 1.5,
            "quantity": 2.0,
            "text": "hello",
            "session": "9",
            "platform": "web",
            "extras": '{"e": "5"}',
            "source_piece": 0,
            "source_row": 0,
        }
    ]
    assert rejects == []


def test_columns_follow_the_contract(tmp_path: Path, mapping_of: MappingOf, pseudonymiser: Pseudonymiser) -> None:
    (tmp_path / "x.csv").write_text("u,t,a,i,c1,c2,b,total,q,x,s,e\n1,1483275206,view,,,,,,,,,\n")
    mapping = mapping_of(FULL)
    ((events, rejects),) = read_events(plan_pieces(mapping, str(tmp_path))[0], 3, mapping, pseudonymiser)
    assert events.schema.names == [*EVENT_SCHEMA.names, *(field.name for field in POSITION_FIELDS)]
    for field in [*EVENT_SCHEMA, *POSITION_FIELDS]:
        kind = events.schema.field(field.name).type
        assert field.type == (kind.value_type if pa.types.is_dictionary(kind) else kind)
    assert rejects.schema == REJECT_SCHEMA
    row = events.to_pylist()[0]
    assert row["source_piece"] == 3
    assert row["quantity"] == 1.0
    assert [row[name] for name in ("item", "category_path", "brand", "price", "text", "session", "extras")] == [
        None
    ] * 7


def test_every_row_is_an_event_or_a_reject_with_its_reason(tmp_path: Path, mapping_of: MappingOf, read: Read) -> None:
    rows = [
        ("1,1500000000,view,1,1", None),
        (",1500000000,view,1,1", "missing_user"),
        ("NULL,1500000000,view,1,1", "missing_user"),
        ("1,,view,1,1", "missing_time"),
        ("1,soon,view,1,1", "bad_time"),
        ("1,5,view,1,1", "time_out_of_range"),
        ("1,99999999999,view,1,1", "time_out_of_range"),
        ("1,1500000000,,1,1", "missing_action"),
        ("1,1500000000,zap,1,1", "unknown_action"),
        ("1,1500000000,ping,1,1", "ignored_action"),
        ("1,1500000000,view,x,1", "bad_number"),
        ("1,1500000000,view,-1,1", "bad_number"),
        ("1,1500000000,view,inf,1", "bad_number"),
        ("1,1500000000,view,1,two", "bad_number"),
        ("1,1500000000,view,1,0", "quantity_not_positive"),
        ("1,1500000000,view,1,-2", "quantity_not_positive"),
        ("1,1500000000,view,0,10000", None),
        ("1,1500000000,view", "broken_row"),
        ("1,1500000000,view,1,1,1", "broken_row"),
        (",soon,zap,x,0", "missing_user"),
    ]
    (tmp_path / "x.csv").write_text("\n".join(["u,t,a,p,q", *(row for row, _ in rows)]))
    mapping = mapping_of({"action": {"column": "a", "ignore": ["ping"]}, "price": "p", "quantity": "q"})
    events, rejects = read(mapping, tmp_path)
    found = {row["source_row"]: row["reason"] for row in rejects}
    assert [found.get(row) for row in range(len(rows))] == [reason for _, reason in rows]
    assert [event["source_row"] for event in events] == [0, 16]
    details = {row["reason"]: row["detail"] for row in rejects}
    assert details["bad_time"] == "t: expected unix_s"
    assert details["broken_row"] == "expected 5 columns"


def test_no_user_id_leaves_the_reader(tmp_path: Path, mapping_of: MappingOf, read: Read) -> None:
    (tmp_path / "x.csv").write_text(
        "u,t,a\nalice-77,1500000000,view\nalice-77,alice-77,view\nalice-77,1500000000,alice-77\n"
    )
    events, rejects = read(mapping_of(), tmp_path)
    assert (len(events), len(rejects)) == (1, 2)
    assert "alice-77" not in repr((events, rejects))


def test_undecodable_rows(tmp_path: Path, mapping_of: MappingOf, read: Read) -> None:
    (tmp_path / "x.csv").write_bytes(b"u,t,a\n1,1500000000,view\n\xff,1500000000,view\n")
    events, rejects = read(mapping_of(), tmp_path)
    assert (len(events), [row["reason"] for row in rejects]) == (1, ["undecodable_text"])


def test_the_range_of_times_is_a_setting(tmp_path: Path, mapping_of: MappingOf, read: Read) -> None:
    (tmp_path / "x.csv").write_text(
        "u,t,a\n1,1483228799,view\n1,1483228800,view\n1,1483315200,view\n1,1483315201,view\n"
    )
    mapping = mapping_of(top={"not_before": "2017-01-01", "not_after": "2017-01-02"})
    events, rejects = read(mapping, tmp_path)
    assert [event["source_row"] for event in events] == [1, 2]
    assert [row["source_row"] for row in rejects] == [0, 3]


def test_filters(tmp_path: Path, mapping_of: MappingOf, read: Read) -> None:
    (tmp_path / "x.csv").write_text("u,t,a,k\n1,1500000000,view,1\n1,1500000000,view,2\n1,1500000000,view,\n")
    for condition, kept in (({"keep": ["1"]}, [0]), ({"drop": ["1"]}, [1, 2])):
        events, rejects = read(mapping_of(filters=[{"column": "k", **condition}]), tmp_path / "x.csv")
        assert [event["source_row"] for event in events] == kept
        assert {row["reason"] for row in rejects} == {"filtered_out"}


def test_joins_add_columns_and_the_last_of_equal_keys_counts(
    tmp_path: Path, mapping_of: MappingOf, read: Read, write_parquet: Callable[..., Path]
) -> None:
    write_parquet(
        "campaigns.parquet",
        {"id": [1.0, 2.0, 2.0, None], "start": [datetime(2017, 1, 1)] * 4, "kind": ["A", "B", "C", "D"]},
    )
    (tmp_path / "sent.csv").write_text("u,c\n1,1\n1,2\n1,3\n1,\n")
    mapping = mapping_of(
        {"time": "start", "action": {"constant": "message"}, "text": "kind"},
        files="sent.csv",
        joins=[{"files": "campaigns.parquet", "column": "c", "key": "id", "columns": ["start", "kind"]}],
    )
    events, rejects = read(mapping, tmp_path)
    assert [(event["time_s"], event["text"]) for event in events] == [(1483228800, "A"), (1483228800, "C")]
    assert [row["reason"] for row in rejects] == ["missing_time", "missing_time"]


def test_a_changed_lookup_is_read_again(tmp_path: Path, mapping_of: MappingOf, read: Read) -> None:
    (tmp_path / "sent.csv").write_text("u,t,a,c\n1,1500000000,message,1\n")
    mapping = mapping_of(
        {"text": "kind"}, files="sent.csv", joins=[{"files": "kinds.csv", "column": "c", "columns": ["kind"]}]
    )
    for kind in ("Type A", "Type BB"):
        (tmp_path / "kinds.csv").write_text(f"c,kind\n1,{kind}\n")
        assert read(mapping, tmp_path)[0][0]["text"] == kind


def test_streams_of_different_formats(tmp_path: Path, read: Read, write_parquet: Callable[..., Path]) -> None:
    (tmp_path / "views.jsonl").write_text('{"who": 1, "at": "2017-01-01T00:00:00Z", "path": ["Food", "Tea"]}\n')
    write_parquet("buys.parquet", {"who": ["1"], "at": [datetime(2017, 1, 1)], "path": ["Food|Tea"]})
    common: dict[str, Any] = {"user": "who", "time": "at"}
    streams = [
        {
            "name": "v",
            "files": "*.jsonl",
            "fields": {**common, "action": {"constant": "view"}, "category_path": "path"},
        },
        {
            "name": "b",
            "files": "buys.parquet",
            "fields": {
                **common,
                "action": {"constant": "purchase"},
                "category_path": {"column": "path", "separator": "|"},
            },
        },
    ]
    events, _ = read(SourceMapping.from_values({"name": "two", "streams": streams}, source="test"), tmp_path)
    assert [(row["user"], row["time_s"], row["action"], row["category_path"]) for row in events] == [
        (USER_1, 1483228800, "view", "Food > Tea"),
        (USER_1, 1483228800, "purchase", "Food > Tea"),
    ]


def test_batches_are_bounded(
    mapping_of: MappingOf, write_parquet: Callable[..., Path], pseudonymiser: Pseudonymiser
) -> None:
    rows = MAX_BATCH_ROWS + 10
    columns = {"u": np.ones(rows, np.int64), "t": np.full(rows, 1500000000), "a": pa.array(["view"] * rows)}
    path = write_parquet("x.parquet", columns, row_group_size=rows)
    mapping = mapping_of()
    (piece,) = plan_pieces(mapping, str(path))
    batches = [good for good, _ in read_events(piece, 0, mapping, pseudonymiser)]
    assert [len(batch) for batch in batches] == [MAX_BATCH_ROWS, 10]
    assert batches[1]["source_row"].to_pylist() == list(range(MAX_BATCH_ROWS, rows))


def test_missing_columns_are_named(
    tmp_path: Path, mapping_of: MappingOf, read: Read, write_parquet: Callable[..., Path]
) -> None:
    path = write_parquet("x.parquet", {"user_id": [1], "t": [1], "a": ["view"]})
    with pytest.raises(DataError, match=r"expected the columns 'usrid' .* did you mean 'user_id' for 'usrid'"):
        read(mapping_of({"user": "usrid"}), path)


@pytest.mark.parametrize("column", [[{"id": 1}], [[1]]], ids=["struct", "list"])
def test_types_that_cannot_be_users(
    column: list[Any], mapping_of: MappingOf, read: Read, write_parquet: Callable[..., Path]
) -> None:
    path = write_parquet("x.parquet", {"u": column, "t": [1500000000], "a": ["view"]})
    with pytest.raises(DataError, match=r"x\.parquet: expected a column of plain values, received (struct|list)"):
        read(mapping_of(), path)
