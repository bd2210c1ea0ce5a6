"""Category paths through a tree, by a pattern, from lists of paths, and with a fallback."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from interest_migration.sources.categories import category_paths
from interest_migration.sources.fields import CategoryField
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.trees import MAX_DEPTH, load_tree

Read = Callable[[SourceMapping, object], tuple[list[dict[str, Any]], list[dict[str, Any]]]]


def _paths(values: list[Any], field: dict[str, Any], **others: list[Any]) -> list[str | None]:
    columns = {"c": pa.array(values), **{name: pa.array(column) for name, column in others.items()}}
    return category_paths(
        columns, CategoryField.from_values({"column": "c", **field}, source="test"), ["NULL"]
    ).to_pylist()


def _tree_paths(tmp_path: Path, rows: str, wanted: list[Any], **tree: Any) -> list[str | None]:
    (tmp_path / "tree.csv").write_text(rows)
    value = {"column": "c", "tree": {"files": "tree.csv", "id": "id", "parent": "up", **tree}}
    field = CategoryField.from_values(value, source="test")
    loaded = load_tree(field, [str(tmp_path / "tree.csv")])
    return category_paths({"c": pa.array(wanted)}, field, ["NULL"], loaded).to_pylist()


def test_path_runs_from_the_root_to_the_category(tmp_path: Path) -> None:
    rows = "id,up\n1,\n2,1\n3,2\n4,NULL\n"
    assert _tree_paths(tmp_path, rows, ["3", "2", "1", "4", None, ""]) == [
        *("1 > 2 > 3", "1 > 2", "1", "4", None, None),
    ]


def test_numbers_and_texts_are_the_same_category(tmp_path: Path) -> None:
    assert _tree_paths(tmp_path, "id,up\n1.0,\n2,1\n", [2.0, 1.0]) == ["1 > 2", "1"]


def test_unknown_categories_and_parents_without_a_row_are_tops(tmp_path: Path) -> None:
    assert _tree_paths(tmp_path, "id,up\n2,1\n", ["9", "2"]) == ["9", "1 > 2"]


def test_a_category_that_is_its_own_ancestor_is_a_top(tmp_path: Path) -> None:
    rows = "id,up\na,b\nb,a\nc,a\nd,d\ne,d\nf,e\n"
    assert _tree_paths(tmp_path, rows, list("abcdef")) == ["a", "b", "a > c", "d", "d > e", "d > e > f"]


def test_levels_have_the_names_of_the_tree_where_it_has_some(tmp_path: Path) -> None:
    rows = "id,up,name\n1,,Food > Drink\n2,1,\n3,2,Tea\n"
    assert _tree_paths(tmp_path, rows, ["3"], name="name") == ["Food / Drink > 2 > Tea"]


def test_very_deep_trees_are_cut_at_the_top(tmp_path: Path) -> None:
    rows = "id,up\n" + "".join(f"n{number},n{number - 1}\n" for number in range(1, 500))
    (path,) = _tree_paths(tmp_path, rows, ["n499"])
    assert path is not None
    levels = path.split(" > ")
    assert len(levels) == MAX_DEPTH
    assert (levels[0], levels[-1]) == ("n436", "n499")


def test_a_stream_finds_its_own_categories_in_a_tree(tmp_path: Path, mapping_of: Any, read: Read) -> None:
    (tmp_path / "x.csv").write_text("u,t,a,c\n1,1500000000,view,2\n")
    (tmp_path / "tree.csv").write_text("id,up\n1,\n2,1\n")
    tree = {"files": "tree.csv", "id": "id", "parent": "up"}
    mapping = mapping_of({"category_path": {"column": "c", "tree": tree}}, files="x.csv")
    events, _ = read(mapping, tmp_path)
    assert [event["category_path"] for event in events] == ["1 > 2"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^(\d)(\d)", ["1 > 2", None, None]),
        (r"\d{2}", ["12", None, None]),
        (r"^(?=(\d))(\d\d)", ["1 > 12", None, None]),
        (r"^(\d\d)|^([a-z])", ["12", "a", None]),
    ],
)
def test_groups_of_a_pattern_are_levels(pattern: str, expected: list[str | None]) -> None:
    assert _paths(["12x", "a", None], {"pattern": pattern}) == expected


def test_of_a_list_of_paths_the_first_counts() -> None:
    values = [[["Beauty", "Face"], ["Tools"]], [], None, [[]], [["Toys", None, "Dolls"]], [None]]
    assert _paths(values, {}) == ["Beauty > Face", None, None, None, "Toys", None]


def test_fallbacks_are_asked_in_turn_where_there_is_no_path() -> None:
    found = _paths(
        ["a.b", None, "", "c"],
        {"separator": ".", "fallback": ["x", "y"]},
        x=["1", "2", None, None],
        y=[7.0, 8.0, 9.0, 1.0],
    )
    assert found == ["a > b", "2", "9", "c"]


def test_slices_of_lists_of_paths() -> None:
    values = pa.array([[["A"]], [["B", "C"], ["D"]], [["E"]]])[1:]
    field = CategoryField.from_values({"column": "c"}, source="test")
    assert category_paths({"c": values}, field, []).to_pylist() == ["B > C", "E"]
