from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interest_migration.errors import ContractError
from interest_migration.privacy.identifiers import as_text, canonical_ids


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([900, None]), ["900", None]),
        (pa.array([2**63 + 1], pa.uint64()), ["9223372036854775809"]),
        (pa.array([900.0, 1.5, None, -0.0, 123456789012.0]), ["900", "1.5", None, "0", "123456789012"]),
        (pa.array([" 900 ", "\tA-1"]), ["900", "A-1"]),
        (pa.array(["x"], pa.large_string()), ["x"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([date(2017, 1, 2)]), ["2017-01-02"]),
        (pa.array(["b", None, "b"]).dictionary_encode(), ["b", None, "b"]),
        (pa.nulls(2), [None, None]),
        (pa.array([], pa.float64()), []),
    ],
)
def test_any_plain_type_becomes_text(values: pa.Array, expected: list[str | None]) -> None:
    assert as_text(values).to_pylist() == expected


@pytest.mark.parametrize(
    "values",
    [pa.array([[1]]), pa.array([{"a": 1}]), pa.array([b"\xff"])],
    ids=["list", "struct", "bytes"],
)
def test_other_types_are_refused(values: pa.Array) -> None:
    with pytest.raises(ContractError, match="expected a column of plain values"):
        as_text(values)


def test_the_same_number_is_the_same_id_in_every_type() -> None:
    columns = [
        pa.array([900]),
        pa.array([900.0]),
        pa.array(["900"]),
        pa.array(["900.0"]),
        pa.array([Decimal("900.00")]),
    ]
    assert [canonical_ids(column).to_pylist() for column in columns] == [["900"]] * 5


def test_leading_zeros_and_fractions_stay() -> None:
    assert canonical_ids(pa.array(["007", "1.50", "1.0.0", "-3.0"])).to_pylist() == ["007", "1.50", "1.0.0", "-3"]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(-(2**53) + 1, 2**53 - 1)))
def test_integers_and_whole_floats_agree(numbers: list[int]) -> None:
    integers = pa.array(numbers, pa.int64())
    assert canonical_ids(integers).equals(canonical_ids(integers.cast(pa.float64())))
    assert canonical_ids(integers).to_pylist() == [str(number) for number in numbers]
