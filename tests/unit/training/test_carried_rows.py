import numpy as np
import pyarrow as pa
from numpy.testing import assert_array_equal

from interest_migration.model.variables import Rows
from interest_migration.training.rows import carry_rows, match_rows, match_values


def values(*names):
    return pa.array([name.encode() for name in names], pa.binary())


def test_values_are_found_by_name():
    assert match_values(values("milk", "oats", "tea"), values("tea", "milk")).tolist() == [1, -1, 0]


def test_bytes_that_are_no_text_are_values_too():
    assert match_values(pa.array([b"\xff\xfe", b"a"]), pa.array([b"a", b"\xff\xfe"])).tolist() == [1, 0]


def test_none_and_unknown_keep_their_rows():
    places = np.array([1, -1, 0])
    assert match_rows(Rows("v"), places, 2).tolist() == [0, 2, -1, 1, 3]
    assert match_rows(Rows("v", unknown=False), places, 2).tolist() == [0, 2, -1, 1]
    assert match_rows(Rows("v", none=False, unknown=False), places, 2).tolist() == [1, -1, 0]


def test_rows_move_with_their_values():
    old = np.array([[0.0, 0.0], [1.0, 10.0], [2.0, 20.0], [9.0, 9.0]], np.float32)
    fresh = np.full([5, 2], 0.5, np.float32)
    table = carry_rows(old, fresh, np.array([0, 2, -1, 1, 3]))
    assert_array_equal(table, [[0, 0], [2, 20], [0.5, 0.5], [1, 10], [9, 9]])
    assert_array_equal(fresh, np.full([5, 2], 0.5))


def test_without_a_common_value_the_table_is_fresh():
    fresh = np.array([[1.0], [2.0]], np.float32)
    assert_array_equal(carry_rows(np.array([[8.0]], np.float32), fresh, np.array([-1, -1])), fresh)
