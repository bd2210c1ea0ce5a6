"""Items whose rows hold from some time on: no event sees a later one if it has an earlier one."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interest_migration.errors import DataError
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.tables import ItemTable, load_items
from interest_migration.sources.versions import sort_versions

ITEMS = {
    "files": "items.csv",
    "id": "sku",
    "valid_from": {"column": "since", "format": "unix_s"},
    "filters": [{"column": "kind", "drop": "noise"}],
    "category_path": "category",
}


@pytest.fixture
def items(tmp_path: Path, mapping_of: Callable[..., SourceMapping]) -> ItemTable:
    (tmp_path / "items.csv").write_text(
        "since,sku,kind,category\n"
        "30,tea,x,Late\n"
        "10,tea,x,First\n"
        "20,tea,noise,Never\n"
        "20,tea,x,Overruled\n"
        "20,tea,x,Second\n"
        "soon,tea,x,Undated\n"
        "5,,x,Nobody\n"
        "40,cup,x,\n"
        "50,cup,x,Cups\n"
    )
    table = load_items(mapping_of(files="x.csv", top={"items": ITEMS}), str(tmp_path))
    assert table is not None
    return table


@pytest.mark.parametrize("encoded", [True, False])
def test_an_event_takes_the_newest_row_that_is_not_later(items: ItemTable, encoded: bool) -> None:
    ids = pa.array(["tea"] * 6 + ["cup", "cup", "?", None])
    times = [9, 10, 19, 20, 29, 1000, 45, 50, 45, 45]
    joined = items.join(pa.table({"item": ids.dictionary_encode() if encoded else ids, "time_s": times}))
    assert joined["category_path"].to_pylist() == [
        *("First", "First", "First", "Second", "Second", "Late", None, "Cups", None, None),
    ]


def test_rows_without_id_or_time_are_left_out_and_counted(items: ItemTable) -> None:
    assert items.left_out == 2
    assert items.ids.to_pylist() == ["tea", "cup"]


def test_events_keep_their_own_categories(items: ItemTable) -> None:
    events = pa.table({"item": ["tea", "tea"], "time_s": [10, 10], "category_path": ["Mine", None]})
    assert items.join(events)["category_path"].to_pylist() == ["Mine", "First"]


def test_versions_travel(items: ItemTable) -> None:
    events = pa.table({"item": ["tea"], "time_s": [25]})
    assert pickle.loads(pickle.dumps(items)).join(events)["category_path"].to_pylist() == ["Second"]


def test_a_table_without_a_dated_row_is_an_error(tmp_path: Path, mapping_of: Callable[..., SourceMapping]) -> None:
    mapping = mapping_of(files="x.csv", top={"items": ITEMS})
    (tmp_path / "items.csv").write_text("since,sku,kind,category\nsoon,tea,x,A\n")
    with pytest.raises(DataError, match="expected rows with sku and since, received none"):
        load_items(mapping, str(tmp_path))
    (tmp_path / "items.csv").write_text("since,sku,kind,category\n1,tea,noise,A\n")
    with pytest.raises(DataError, match="received 1 and none that its filters keep"):
        load_items(mapping, str(tmp_path))


_SECONDS = st.integers(-(2**33), 2**33)


@given(
    st.lists(st.tuples(st.integers(0, 3), _SECONDS), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 3) | st.none(), _SECONDS), max_size=30),
)
def test_agrees_with_a_search_row_by_row(rows: list[tuple[int, int]], asked: list[tuple[int | None, int]]) -> None:
    rows = [(key, 0) for key in range(4)] + rows
    order, versions = sort_versions(np.array([key for key, _ in rows]), np.array([since for _, since in rows]))
    found = versions.rows_at(
        pa.array([key for key, _ in asked], pa.int32()), np.array([at for _, at in asked], np.int64)
    )

    def expected(key: int | None, at: int) -> int | None:
        if key is None:
            return None
        own = [(since, place) for place, (other, since) in enumerate(rows) if other == key]
        first = min(since for since, _ in own)
        return max(version for version in own if version[0] <= max(at, first))[1]

    places = [None if place is None else int(order[place]) for place in found.to_pylist()]
    assert places == [expected(key, at) for key, at in asked]
