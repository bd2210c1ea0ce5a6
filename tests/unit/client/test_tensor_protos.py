"""TensorProtos without TensorFlow: what is written is read, what does not fit is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st

from interest_migration.client.messages import PredictRequest
from interest_migration.errors import ContractError
from interest_migration.tensor_protos import DTYPES, as_array, dtype_number, fill_proto, to_array

NUMBERS = [dtype for dtype in DTYPES.values() if dtype.kind != "O"]
shapes = numpy_st.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)


def proto(dtype=1, shape=(), **fields):
    made = PredictRequest().inputs["x"]
    made.dtype = dtype
    for size in shape:
        made.tensor_shape.dim.add().size = size
    for name, value in fields.items():
        if name == "tensor_content":
            made.tensor_content = value
        else:
            getattr(made, name).extend(value)
    return made


@given(st.sampled_from(NUMBERS).flatmap(lambda dtype: numpy_st.arrays(dtype, shapes)))
def test_numbers_come_back(array):
    written = proto(0)
    fill_proto(written, array)
    found = to_array(written)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@given(st.lists(st.lists(st.binary(max_size=4), min_size=2, max_size=2), max_size=3))
def test_texts_come_back_with_their_zero_bytes(rows):
    array = np.empty((len(rows), 2), object)
    array[:] = rows if rows else array
    written = proto(0)
    fill_proto(written, array)
    assert to_array(written).tolist() == rows


def test_texts_are_sent_as_utf8():
    written = proto(0)
    fill_proto(written, ["é", b"\x00"])
    assert to_array(written).tolist() == ["é".encode(), b"\x00"]


def test_python_values_have_the_types_of_the_contract():
    assert as_array([[1.5]]).dtype == np.float32
    assert as_array([1]).dtype == np.int64
    assert as_array(["a"]).dtype == object
    assert as_array(np.array([1.5])).dtype == np.float64


def test_contents_and_repeated_last_values_are_read():
    content = np.arange(4, dtype=np.float32).tobytes()
    assert to_array(proto(1, [2, 2], tensor_content=content)).tolist() == [[0, 1], [2, 3]]
    assert to_array(proto(9, [3], int64_val=[5, 6])).tolist() == [5, 6, 6]
    assert to_array(proto(7, [2], string_val=[b"a"])).tolist() == [b"a", b"a"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (proto(20), "expected a tensor of type"),
        (proto(0), "expected a tensor of type"),
        (proto(1, [2], tensor_content=b"1234"), "expected 8 bytes of tensor_content"),
        (proto(1, [2], float_val=[1, 2, 3]), "expected 2 values for shape"),
        (proto(1, [2]), "expected 2 values for shape"),
        (proto(1, [-1], float_val=[1]), "expected a shape of sizes from 0"),
        (proto(1, [1 << 40], float_val=[1]), "expected at most 16777216 values"),
        (proto(1, [1 << 40, 0]), "expected at most 16777216 values"),
        (proto(1, [1] * 17, float_val=[1]), "expected at most 16 dimensions"),
        (proto(4, [1], int_val=[256]), "received one outside its range"),
    ],
)
def test_what_does_not_fit_is_refused(given, words):
    with pytest.raises(ContractError, match=words):
        to_array(given)


def test_a_tensor_without_a_rank_is_refused():
    without = proto(1, float_val=[1])
    without.tensor_shape.unknown_rank = True
    with pytest.raises(ContractError, match="unknown rank"):
        to_array(without)


@pytest.mark.parametrize("value", [np.array([1 + 2j]), [object()], [["a", 1]]])
def test_values_of_other_types_are_not_sent(value):
    with pytest.raises(ContractError):
        fill_proto(proto(0), value)


def test_types_by_their_names():
    assert [dtype_number(name) for name in ("DT_FLOAT", "DT_STRING", "DT_INT64", "DT_RESOURCE")] == [1, 7, 9, 0]
