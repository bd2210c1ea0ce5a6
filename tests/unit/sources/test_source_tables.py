"""Item and user tables."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from interest_migration.errors import DataError
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.tables import ItemTable, UserTable, load_items, load_users

MappingOf = Callable[..., SourceMapping]

ITEMS = {
    "files": "items.csv",
    "id": "sku",
    "category_path": {"columns": ["c1", "c2"]},
    "brand": "maker",
    "price": "price",
    "text": {"column": "title"},
}


@pytest.fixture
def items(tmp_path: Path, mapping_of: MappingOf) -> ItemTable:
    (tmp_path / "items.csv").write_text(
        "sku,c1,c2,maker,price,title\n"
        "1.0,Food,Coffee,Old,9,old\n"
        "2,Toys,,,free,\n"
        ",Food,Tea,Own,1,no id\n"
        "1,Food,Tea,Own,2.5,new\n"
        "broken\n"
    )
    table = load_items(mapping_of(files="x.csv", top={"items": ITEMS}), str(tmp_path))
    assert table is not None
    return table


def test_last_row_of_an_item_counts_and_bad_values_are_null(items: ItemTable) -> None:
    assert items.ids.to_pylist() == ["2", "1"]
    assert {name: values.to_pylist() for name, values in items.columns.items()} == {
        "category_path": ["Toys", "Food > Tea"],
        "price": [None, 2.5],
        "brand": [None, "Own"],
        "text": [None, "new"],
    }
    assert items.left_out == 3


@pytest.mark.parametrize("encoded", [True, False])
def test_join_adds_what_is_missing(items: ItemTable, encoded: bool) -> None:
    ids = pa.array(["1", "?", None, "2", "1"])
    events = pa.table({"item": ids.dictionary_encode() if encoded else ids, "time_s": [1, 2, 3, 4, 5]})
    joined = items.join(events)
    assert joined["category_path"].to_pylist() == ["Food > Tea", None, None, "Toys", "Food > Tea"]
    assert joined["price"].to_pylist() == [2.5, None, None, None, 2.5]
    assert joined["time_s"].to_pylist() == [1, 2, 3, 4, 5]


def test_join_fills_gaps_and_overwrites_nothing(items: ItemTable) -> None:
    events = pa.table({"item": ["1", "1"], "brand": ["Mine", None], "price": pa.array([None, 7.0])})
    joined = items.join(events)
    assert joined["brand"].to_pylist() == ["Mine", "Own"]
    assert joined["price"].to_pylist() == [2.5, 7.0]
    assert joined.column_names[:3] == ["item", "brand", "price"]


def test_join_of_chunks_with_their_own_dictionaries(items: ItemTable) -> None:
    chunks = [pa.array(["1"]).dictionary_encode(), pa.array(["?", "2"]).dictionary_encode()]
    brands = [pa.array([None], pa.string()).dictionary_encode(), pa.array(["x", None]).dictionary_encode()]
    events = pa.table({"item": pa.chunked_array(chunks), "brand": pa.chunked_array(brands)})
    assert items.join(events)["category_path"].to_pylist() == ["Food > Tea", None, "Toys"]
    assert items.join(events)["brand"].to_pylist() == ["Own", "x", None]


def test_join_without_items_or_rows(items: ItemTable) -> None:
    bare = pa.table({"time_s": [1]})
    assert items.join(bare).equals(bare)
    empty = items.join(pa.table({"item": pa.chunked_array([], pa.string())}))
    assert empty.num_rows == 0
    assert "brand" in empty.column_names


def test_items_travel(items: ItemTable) -> None:
    copy = pickle.loads(pickle.dumps(items))
    assert copy.ids.equals(items.ids)
    assert copy.columns["brand"].to_pylist() == [None, "Own"]


def _users(tmp_path: Path, mapping_of: MappingOf, pseudonymiser: Pseudonymiser, text: str) -> UserTable:
    (tmp_path / "users.jsonl").write_text(text)
    users: dict[str, Any] = {"files": "users.jsonl", "id": "id", "attributes": ["age", "kids"]}
    table = load_users(mapping_of(files="x.csv", top={"users": users}), str(tmp_path), pseudonymiser)
    assert table is not None
    return table


def test_attributes_of_users(tmp_path: Path, mapping_of: MappingOf, pseudonymiser: Pseudonymiser) -> None:
    text = (
        '{"id": 1, "age": "18-24"}\n{"id": 2, "kids": 3}\n{"id": 3}\n'
        '{"id": 1, "age": "25-34", "kids": 0}\n{"age": "x"}\n'
    )
    table = _users(tmp_path, mapping_of, pseudonymiser, text)
    one, two, three, unknown = pseudonymiser.pseudonyms(pa.array(["1", "2", "3", "4"])).to_pylist()
    found = table.attributes([two, unknown, one, three, two])
    assert found.type == pa.list_(pa.string())
    assert found.to_pylist() == [["kids=3"], [], ["age=25-34", "kids=0"], [], ["kids=3"]]
    assert table.attributes(pa.array([one, None]).dictionary_encode()).to_pylist() == [["age=25-34", "kids=0"], []]
    assert table.attributes([]).to_pylist() == []
    assert table.left_out == 2


def test_no_raw_ids_stay(tmp_path: Path, mapping_of: MappingOf, pseudonymiser: Pseudonymiser) -> None:
    table = _users(tmp_path, mapping_of, pseudonymiser, '{"id": "alice-77", "age": "18-24", "kids": 1}\n')
    assert b"alice-77" not in pickle.dumps(table)


def test_mappings_without_tables(mapping_of: MappingOf, pseudonymiser: Pseudonymiser) -> None:
    assert load_items(mapping_of(), "anywhere") is None
    assert load_users(mapping_of(), "anywhere", pseudonymiser) is None


def test_missing_and_empty_tables(tmp_path: Path, mapping_of: MappingOf) -> None:
    mapping = mapping_of(files="x.csv", top={"items": ITEMS})
    with pytest.raises(DataError, match=r"expected files items\.csv for the items table"):
        load_items(mapping, str(tmp_path))
    (tmp_path / "items.csv").write_text("sku,c1,c2,maker,price,title\n")
    with pytest.raises(DataError, match="expected a table with rows, received none"):
        load_items(mapping, str(tmp_path))
    (tmp_path / "items.csv").write_text("id,c1,c2,maker,price,title\n1,a,b,c,1,x\n")
    with pytest.raises(DataError, match="expected the columns 'sku'"):
        load_items(mapping, str(tmp_path))


def test_files_of_one_table_may_differ_in_types(
    tmp_path: Path, mapping_of: MappingOf, write_parquet: Callable[..., Path]
) -> None:
    write_parquet("items_1.parquet", {"sku": [1, 2], "maker": ["A", "B"]})
    write_parquet("items_2.parquet", {"sku": ["2", "3"], "maker": pa.array([7, 8])})
    table = load_items(
        mapping_of(files="x.csv", top={"items": {"files": "items_*.parquet", "id": "sku", "brand": "maker"}}),
        str(tmp_path),
    )
    assert table is not None
    assert dict(zip(table.ids.to_pylist(), table.columns["brand"].to_pylist(), strict=True)) == {
        "1": "A",
        "2": "7",
        "3": "8",
    }
