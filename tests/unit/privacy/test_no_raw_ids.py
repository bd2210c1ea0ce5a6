"""A known user id in every odd place of a log: no message, traceback, reject or event shows it."""

import json
import traceback
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from interest_migration.errors import ConfigError, DataError
from interest_migration.privacy.erasure import make_pseudonymiser
from interest_migration.sources.files import plan_pieces
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.raw import safe_cause
from interest_migration.sources.reading import read_events
from interest_migration.sources.tables import load_users

ID, NUMBER = "customer-00001", 74_100_001
SECRETS = (ID, str(NUMBER))
FIELDS: dict[str, Any] = {
    "user": "user",
    "time": {"column": "ts", "format": "unix_s"},
    "action": "action",
    "item": "item",
    "price": "price",
}
ROW = {"user": ID, "ts": "1600000000", "action": "view", "item": "tea", "price": "1"}


def mapping_of(files: str, **changes: Any) -> SourceMapping:
    streams = [{"name": "log", "files": files, "fields": FIELDS, **changes}]
    return SourceMapping.from_values({"name": "shop", "streams": streams}, source="mapping")


def read_all(mapping: SourceMapping, root: Path) -> str:
    """Everything that reading shows: events, rejects, or the error with its whole traceback."""
    pseudonymiser = make_pseudonymiser(bytes(32), None)
    try:
        shown = []
        for index, piece in enumerate(plan_pieces(mapping, str(root))):
            for batches in read_events(piece, index, mapping, pseudonymiser):
                shown += [str(batch.to_pylist()) for batch in batches]
        return "\n".join(shown)
    except Exception as error:
        return "".join(traceback.format_exception(error))


def csv_of(*rows: dict[str, str]) -> str:
    return "\n".join([",".join(ROW), *(",".join(row.values()) for row in rows)]) + "\n"


TEXTS = {
    "a good row": csv_of(ROW),
    "in the price": csv_of(ROW | {"price": ID}),
    "in the time": csv_of(ROW | {"ts": ID}),
    "in the action": csv_of(ROW | {"action": ID}),
    "too many columns": csv_of(ROW, ROW | {"price": f"1,{ID}"}),
    "too few columns": csv_of(ROW) + f"{ID},1\n",
    "no header": csv_of(ROW).split("\n", 1)[1],
    "no header and no digits": f"{ID},view,tea,customer,none\n",
    "an open quote": csv_of(ROW) + f'"{ID},1,' + "x" * (9 << 20),
    "one endless line": csv_of(ROW) + ID * 700_000,
    "a header that is a number": f"{NUMBER},ts,action,item,price\n",
    "an undecodable byte": csv_of(ROW | {"item": f"{ID}\udcff"}),
    "a NUL": csv_of(ROW | {"item": f"{ID}\0"}).replace("tea", "x"),
}


@pytest.mark.parametrize("place", TEXTS)
def test_csv(place: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(TEXTS[place].encode(errors="surrogateescape"))
    shown = read_all(mapping_of("log.csv"), tmp_path)
    if place not in ("an undecodable byte", "a NUL"):  # these hold it as an item, which is kept
        assert not any(secret in shown for secret in SECRETS), shown


LINES = {
    "a broken line": f'{json.dumps(ROW)}\n{{"user": {ID}\n',
    "all lines broken": f"{ID}\n",
    "a list": json.dumps(ROW | {"user": [ID]}),
    "an object": json.dumps(ROW | {"ts": {ID: 1}}),
    "in the price": json.dumps(ROW | {"price": ID}),
    "mixed types": f"{json.dumps(ROW)}\n{json.dumps(ROW | {'user': NUMBER})}",
    "a huge number": json.dumps(ROW | {"user": 10**30 + NUMBER, "ts": 10**30 + NUMBER}),
    "a number as time": json.dumps(ROW | {"ts": NUMBER + 0.5, "user": NUMBER}),
    "keyed by user": json.dumps({str(NUMBER): [1, 2]}),
}


@pytest.mark.parametrize("place", LINES)
def test_json_lines(place: str, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(LINES[place])
    shown = read_all(mapping_of("log.jsonl"), tmp_path)
    hidden = shown.replace(f"'time_s': {NUMBER}", "")  # a number in the time column is a time
    assert not any(secret in hidden for secret in SECRETS), shown


COLUMNS = {
    "nested": pa.array([[ID], None]),
    "structs": pa.array([{"id": ID}, None]),
    "bytes": pa.array([ID.encode(), b"\xff"]),
    "texts": pa.array([ID, None]),
    "dictionary": pa.array([ID, None]).dictionary_encode(),
    "floats": pa.array([NUMBER + 0.5, float("inf")]),
    "decimals": pa.array([NUMBER, None]).cast(pa.decimal128(38, 2)),
    "durations": pa.array([NUMBER * 10**9, None], pa.duration("s")),
    "far times": pa.array([NUMBER * 10**9, None], pa.timestamp("s")),
    "unsigned": pa.array([2**64 - NUMBER, None], pa.uint64()),
}


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("column", ["user", "ts", "action", "price"])
def test_parquet(column: str, kind: str, tmp_path: Path) -> None:
    good = {name: pa.array([value, value]) for name, value in ROW.items()}
    pq.write_table(pa.table(good | {column: COLUMNS[kind]}), tmp_path / "log.parquet")
    shown = read_all(mapping_of("log.parquet"), tmp_path)
    if column == "price":
        shown = shown.replace(f"'price': {NUMBER}", "")
    assert not any(secret in shown for secret in SECRETS), shown


@pytest.mark.parametrize(
    "error",
    [
        pa.ArrowInvalid(f"CSV parse error: Row #7: Expected 2 columns, got 3: {ID},2,3"),
        pa.ArrowInvalid(f"In CSV column #0: CSV conversion error to int64: invalid value '{ID}'"),
        pa.ArrowInvalid(f"Failed to parse string: '{ID}' as a scalar of type int64"),
        pa.ArrowInvalid(f"Float value {NUMBER}.5 was truncated converting to int64"),
        OSError(f"Not a gzipped file (b'{ID}')"),
        UnicodeDecodeError("utf-8", ID.encode() + b"\xff", 14, 15, ID),
    ],
)
def test_messages_of_libraries_lose_what_they_quote(error: Exception) -> None:
    cause = safe_cause(error)
    assert cause
    assert not any(secret in cause for secret in SECRETS)


def test_messages_about_the_file_stay_whole() -> None:
    text = "Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file."
    assert safe_cause(pa.ArrowInvalid(text)) == text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("item", "user"),
        ("brand", "user"),
        ("session", "user"),
        ("platform", "user"),
        ("text", "user"),
        ("category_path", "user"),
        ("extras", ["price", "user"]),
    ],
)
def test_no_other_field_may_read_the_column_of_user_ids(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"{field} must not read the column of user ids, 'user'"):
        mapping_of("log.csv", fields=FIELDS | {field: value})


def test_the_users_table_may_not_keep_its_ids(tmp_path: Path) -> None:
    users = {"files": "users.csv", "id": "user", "attributes": ["age", "user"]}
    values = {"name": "shop", "streams": [{"name": "log", "files": "log.csv", "fields": FIELDS}], "users": users}
    with pytest.raises(ConfigError, match="attributes must not read the column of user ids"):
        SourceMapping.from_values(values, source="mapping")


def test_a_mapping_may_not_hold_user_ids_in_a_filter_and_the_refusal_does_not_show_them() -> None:
    with pytest.raises(ConfigError, match=r"put them in data\.erasure_list") as error:
        mapping_of("log.csv", filters=[{"column": "user", "drop": [ID]}])
    assert ID not in str(error.value)


def test_rows_and_attributes_of_erased_users_are_left_out(tmp_path: Path) -> None:
    other = ROW | {"user": "customer-00002"}
    (tmp_path / "log.csv").write_text(csv_of(ROW, other, ROW | {"ts": "never"}))
    (tmp_path / "users.csv").write_text(f"user,age\n{ID},20\ncustomer-00002,30\n")
    (tmp_path / "erased.txt").write_text(f"{ID}\n")
    values = mapping_of("log.csv").model_dump(mode="json", exclude_defaults=True)
    users = {"files": "users.csv", "id": "user", "attributes": ["age"]}
    mapping = SourceMapping.from_values(values | {"users": users}, source="mapping")
    pseudonymiser = make_pseudonymiser(bytes(32), tmp_path / "erased.txt")
    (piece,) = plan_pieces(mapping, str(tmp_path))
    ((events, rejects),) = read_events(piece, 0, mapping, pseudonymiser)
    (remaining,) = pseudonymiser.pseudonyms(pa.array(["customer-00002"])).to_pylist()
    assert events["user"].to_pylist() == [remaining]
    assert rejects["reason"].to_pylist() == ["erased_user", "erased_user"]
    table = load_users(mapping, str(tmp_path), pseudonymiser)
    assert table is not None
    assert (table.users.to_pylist(), table.values.to_pylist(), table.left_out) == ([remaining], [["age=30"]], 1)


def test_a_damaged_file_is_named_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "log.parquet").write_bytes(b"PAR1" + ID.encode() + b"PAR1")
    with pytest.raises(DataError, match=r"log.parquet: expected a complete Parquet file") as error:
        plan_pieces(mapping_of("log.parquet"), str(tmp_path))
    assert ID not in "".join(traceback.format_exception(error.value))
