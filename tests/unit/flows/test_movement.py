import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from interest_migration.flows.movement import move_least, pool, spread_evenly, sum_flows


def matrix(*rows: list[float]) -> sparse.csr_matrix:
    return sparse.csr_matrix(np.array(rows, float))


def flows(before: list[float], after: list[float]) -> list[list[float]]:
    mass, _ = sum_flows(move_least(matrix(before), matrix(after)), matrix([1]))
    return mass.tolist()


def test_an_interest_is_spread_evenly() -> None:
    spread = spread_evenly(matrix([1, 1, 0], [0, 0, 0])).toarray()
    assert spread.tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([0.5, 0.5, 0], [0.5, 0, 0.5], [[0.5, 0, 0], [0, 0, 0.5], [0, 0, 0]]),  # milk, bread then milk, tea
        ([1, 0, 0], [0.5, 0, 0.5], [[0.5, 0, 0.5], [0, 0, 0], [0, 0, 0]]),  # milk then milk, tea
        ([0, 1, 0], [0, 1, 0], [[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    ],
)
def test_what_can_stay_stays(before: list[float], after: list[float], expected: list[list[float]]) -> None:
    assert flows(before, after) == expected


def test_moves_inside_a_group_stay_in_it() -> None:
    movement = pool(move_least(matrix([1, 0, 0]), matrix([0, 0.5, 0.5])), np.array([0, 0, 1]), 2)
    mass, users = sum_flows(movement, matrix([1]))
    assert mass.tolist() == [[0.5, 0.5], [0, 0]]
    assert users.tolist() == [[1, 1], [0, 0]]


def test_different_users_are_counted_once() -> None:
    before, after = matrix([1, 0], [1, 0], [1, 0]), matrix([0, 1], [0, 1], [1, 0])
    mass, users = sum_flows(move_least(before, after), matrix([1, 0], [1, 0], [0, 1]))
    assert mass.tolist() == [[1, 2], [0, 0]]
    assert users.tolist() == [[1, 1], [0, 0]]


BASKETS = arrays.arrays(np.int8, (7, 4), elements=st.integers(0, 1))


@given(before=BASKETS, after=BASKETS)
def test_sums_are_kept_and_no_more_moves_than_must(before: np.ndarray, after: np.ndarray) -> None:
    p, q = spread_evenly(sparse.csr_matrix(before)), spread_evenly(sparse.csr_matrix(after))
    mass, _ = sum_flows(move_least(p, q), sparse.eye(7, format="csr"))
    np.testing.assert_allclose(mass.sum(axis=1), p.toarray().sum(axis=0), atol=1e-9)
    np.testing.assert_allclose(mass.sum(axis=0), q.toarray().sum(axis=0), atol=1e-9)
    moved = mass.sum() - np.trace(mass)
    assert moved == pytest.approx(np.abs(p.toarray() - q.toarray()).sum() / 2)
