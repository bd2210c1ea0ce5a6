"""Numbers, actions, category paths and extras."""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interest_migration.sources.actions import parse_actions
from interest_migration.sources.categories import category_paths
from interest_migration.sources.distinct import map_distinct, null_where, text_or_null
from interest_migration.sources.extras import pack_extras
from interest_migration.sources.fields import ActionField, CategoryField, TimeField
from interest_migration.sources.numbers import parse_numbers
from interest_migration.sources.raw import check_text
from interest_migration.sources.rejects import Verdict
from interest_migration.sources.times import parse_times

NULLS = ("NULL",)


def _numbers(values: pa.Array, **options: str) -> list[float | str | None]:
    numbers, bad = parse_numbers(values, NULLS, **options)
    return ["bad" if b else None if np.isnan(n) else float(n) for n, b in zip(numbers, bad, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5", 1.5),
        (" 2 ", 2.0),
        ("+3", 3.0),
        ("-4e-1", -0.4),
        (".5", 0.5),
        ("5.", 5.0),
        ("1,5", "bad"),
        ("1 000", "bad"),
        ("$5", "bad"),
        ("0x10", "bad"),
        ("inf", "bad"),
        ("1e999", "bad"),
        ("nan", None),
        ("", None),
        ("NULL", None),
        (None, None),
    ],
)
def test_numbers_in_text(text: str | None, expected: float | str | None) -> None:
    assert _numbers(pa.array([text], pa.string())) == [expected]
    # A neighbour that is no number must not change the outcome.
    assert _numbers(pa.array([text, "x", "7"])) == [expected, "bad", 7.0]


def test_local_spellings() -> None:
    assert _numbers(pa.array(["1.234,50 EUR", "7"]), decimal=",", remove=". EUR") == [1234.5, 7.0]
    assert _numbers(pa.array(["$1,234.50"]), remove="$,") == [1234.5]
    assert _numbers(pa.array(["[5]-"]), remove="[]-") == [5.0]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1, None]), [1.0, None]),
        (pa.array([1.5, float("nan"), float("inf")]), [1.5, None, "bad"]),
        (pa.array([1, 2], pa.uint8()), [1.0, 2.0]),
        (pa.array(["2", "x", None, "2"]).dictionary_encode(), [2.0, "bad", None, 2.0]),
        (pa.nulls(1), [None]),
        (pa.array([True, None]), ["bad", None]),
        (pa.array([[1.0], None]), ["bad", None]),
    ],
)
def test_numbers_in_other_types(column: pa.Array, expected: list[Any]) -> None:
    assert _numbers(column) == expected


def test_actions_and_the_reasons_against_them() -> None:
    field = ActionField(column="event", values={"pv": "view", "Buy": "purchase"}, ignore=("ping",))
    verdict = Verdict(7)
    words = pa.array(["PV", " buy ", "ping", "zap", None, "cart", "NULL"])
    actions = parse_actions(words, field, NULLS, verdict)
    assert actions.to_pylist() == ["view", "purchase", None, None, None, "cart", None]
    rejects = verdict.rejects(np.arange(7), 0)
    assert rejects["source_row"].to_pylist() == [2, 3, 4, 6]
    assert rejects["reason"].to_pylist() == ["ignored_action", "unknown_action", "missing_action", "missing_action"]


def test_a_contract_action_can_be_ignored_or_renamed() -> None:
    field = ActionField(column="event", values={"view": "click"}, ignore=("cart",))
    verdict = Verdict(2)
    assert parse_actions(pa.array(["view", "cart"]), field, NULLS, verdict).to_pylist() == ["click", None]


def _paths(field: dict[str, Any], **columns: Any) -> list[str | None]:
    arrays = {name: values if isinstance(values, pa.Array) else pa.array(values) for name, values in columns.items()}
    return category_paths(arrays, CategoryField(**field), NULLS).to_pylist()


def test_path_from_columns_ends_before_the_first_missing_level() -> None:
    assert _paths(
        {"columns": ["a", "b", "c"]},
        a=["Food", "Food", "Food", None, "Toys", "Food"],
        b=["Tea", "", "Tea", "Tea", "NULL", "Tea"],
        c=["Green", "Green", None, "Green", "x", "Green"],
    ) == ["Food > Tea > Green", "Food", "Food > Tea", None, "Toys", "Food > Tea > Green"]


def test_path_from_one_column() -> None:
    assert _paths({"column": "a"}, a=[3607361, None]) == ["3607361", None]
    assert _paths({"column": "a", "separator": "/"}, a=["/Food/ Tea /", "Food//Tea", "Food", None, "/"]) == [
        *("Food > Tea", "Food", "Food", None, None),
    ]


def test_path_from_lists() -> None:
    whole = pa.array([["Food", "Tea"], [], None, ["Toys"]])
    assert _paths({"column": "a"}, a=whole) == ["Food > Tea", None, None, "Toys"]
    assert _paths({"column": "a"}, a=whole[1:]) == [None, None, "Toys"]
    assert _paths({"column": "a"}, a=[["Food", None, "Tea"], [None, "x"]]) == ["Food", "x"]


def test_levels_cannot_hold_the_separator() -> None:
    assert _paths({"columns": ["a", "b"]}, a=["Men > Shoes", "A >", ">", "x>y"], b=["> B", "C", "D", "E"]) == [
        *("Men / Shoes > / B", "A / > C", "/ > D", "x>y > E"),
    ]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(*[st.none() | st.text("ab> ", max_size=4)] * 3), min_size=1, max_size=12))
def test_paths_split_back_into_their_levels(rows: list[tuple[str | None, ...]]) -> None:
    columns = {name: pa.array(values, pa.string()) for name, values in zip("abc", zip(*rows, strict=True), strict=True)}
    for path, row in zip(_paths({"columns": ["a", "b", "c"]}, **columns), rows, strict=True):
        present = [bool(level and level.strip()) for level in row] + [False]
        assert len(path.split(" > ") if path else []) == present.index(False)


def test_extras_are_json_objects() -> None:
    columns = {
        "store": pa.array([3, None, None, 5]),
        "note": pa.array(['5" pan\n', None, "", "é"]),
        "share": pa.array([0.5, None, float("nan"), 2.0]),
        "new": pa.array([True, None, None, False]),
        "tags": pa.array([["a"], None, None, []]),
    }
    packed = pack_extras(columns, list(columns), NULLS).to_pylist()
    assert [None if text is None else json.loads(text) for text in packed] == [
        {"store": 3, "note": '5" pan', "share": 0.5, "new": True, "tags": ["a"]},
        None,
        None,
        {"store": 5, "note": "é", "share": 2.0, "new": False, "tags": []},
    ]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(), min_size=1), st.text(min_size=1))
def test_extras_are_always_json(values: list[str], name: str) -> None:
    packed = pack_extras({name: pa.array(values)}, [name], ()).to_pylist()
    for value, text in zip(values, packed, strict=True):
        found = "" if text is None else json.loads(text)[name]
        assert found.strip() == value.strip()


def test_mapped_values_are_distinct_again() -> None:
    mapped = map_distinct(pa.array(["a", " a", None, "b"]), lambda values: pa.compute.utf8_trim(values, " "))
    assert mapped.to_pylist() == ["a", "a", None, "b"]
    assert mapped.dictionary.to_pylist() == ["a", "b"]


@pytest.mark.parametrize("kind", [pa.string(), pa.binary(), pa.int32()])
def test_null_where_of_slices(kind: pa.DataType) -> None:
    values = pa.array(["7", "1", None, "22", "3"]).cast(kind)[1:]
    expected = [value if keep else None for value, keep in zip(values.to_pylist(), [1, 1, 0, 1], strict=True)]
    assert null_where(values, np.array([False, False, True, False])).to_pylist() == expected


_TEXTS = st.sampled_from(["1", "2.50", "x", "", " a>b ", "é", "2017-01-01T00:00:00.5Z", "2017-01-01"]) | st.none()


@settings(deadline=None, max_examples=50)
@given(st.lists(_TEXTS, min_size=1, max_size=9), st.integers(0, 4))
def test_a_slice_gives_the_same_as_a_copy(values: list[str | None], start: int) -> None:
    start = min(start, len(values))
    sliced, copy = pa.array(values, pa.string())[start:], pa.array(values[start:], pa.string())
    time = TimeField(column="t", timezone="Europe/Vienna")
    for convert in (
        lambda column: _numbers(column),
        lambda column: _paths({"columns": ["a", "b"]}, a=column, b=column),
        lambda column: pack_extras({"a": column, "b": column}, ["a", "b"], NULLS).to_pylist(),
        lambda column: [part.tolist() for part in parse_times(column, time, NULLS)],
        lambda column: text_or_null(column, NULLS).to_pylist(),
        lambda column: check_text(column.cast(pa.binary()))[0].to_pylist(),
    ):
        assert convert(sliced) == convert(copy)


def test_verdict_keeps_the_first_reason() -> None:
    verdict = Verdict(3)
    verdict.reject(np.array([False, True, True]), "bad_time", "t")  # type: ignore[arg-type]
    verdict.reject(np.array([False, False, True]), "bad_number", "p")  # type: ignore[arg-type]
    assert verdict.kept.tolist() == [True, False, False]
    assert verdict.rejects(np.array([10, 11, 12]), 4).to_pylist() == [
        {"source_piece": 4, "source_row": 11, "reason": "bad_time", "detail": "t"},
        {"source_piece": 4, "source_row": 12, "reason": "bad_time", "detail": "t"},
    ]


def test_numbers_beyond_the_limit_are_out_of_range(mapping_of: Any, read: Any, write_parquet: Any) -> None:
    path = write_parquet(
        "x.parquet",
        {
            "u": ["1"] * 6,
            "t": [1_500_000_000] * 6,
            "a": ["purchase"] * 6,
            "q": [1.0, 90_000.0, 90_001.0, 1e-9, 1.0, None],
            "total": [10.0, 90_000.0, 1.0, 100.0, 11.0, 1e300],
        },
    )
    fields = {"quantity": {"column": "q", "at_most": 90_000}, "price": {"total_column": "total", "at_most": 10}}
    events, rejects = read(mapping_of(fields), path)
    assert [row["source_row"] for row in events] == [0, 1]
    assert [(row["source_row"], row["reason"], row["detail"]) for row in rejects] == [
        (2, "number_out_of_range", "q: expected at most 90000"),
        *((row, "number_out_of_range", "total: expected at most 10") for row in (3, 4, 5)),
    ]
