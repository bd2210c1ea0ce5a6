import numpy as np
import pytest

from interest_migration.errors import ContractError
from interest_migration.evaluation.spaces import (
    dense_column,
    known_ids,
    membership,
    ragged_column,
    select,
    take_rows,
)
from interest_migration.ragged import Ragged

ROWS = Ragged(np.array([1, 4, 0, 3]), np.array([0, 2, 3, 4]))


def _lists(ragged):
    return [ragged[row].tolist() for row in range(len(ragged))]


def test_none_and_out_of_vocabulary_ids_are_dropped():
    assert _lists(known_ids(ROWS, 3)) == [[0], [], [2]]


def test_rows_are_taken_in_order():
    assert _lists(take_rows(ROWS, np.array([2, 0]))) == [[3], [1, 4]]
    assert _lists(take_rows(ROWS, np.array([], int))) == []


def test_values_are_selected():
    assert _lists(select(ROWS, np.array([True, False, False, True]))) == [[1], [], [3]]


def test_membership_is_a_matrix():
    assert membership(Ragged(np.array([0, 0, 1]), np.array([0, 1, 1, 3])), 2).tolist() == [[1, 0], [0, 0], [1, 1]]


def test_columns_of_the_wrong_kind_are_errors():
    examples = {"ids": ROWS, "number": np.array([1])}
    with pytest.raises(ContractError, match="expected a ragged column 'number', received ndarray"):
        ragged_column(examples, "number")
    with pytest.raises(ContractError, match="expected an array column 'absent', received NoneType"):
        dense_column(examples, "absent")
