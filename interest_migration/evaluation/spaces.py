"""Id spaces, and labels as sets of ids inside them.

Column j of a score matrix belongs to id j + 1: id 0 (none) and id V + 1 (out of vocabulary) are no candidates.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from interest_migration.errors import ContractError
from interest_migration.ragged import Array, Examples, Ragged

Numbers = npt.NDArray[Any]
"""Scores, ids or labels of any numeric type."""


@dataclass(frozen=True)
class IdSpaces:
    """Vocabulary sizes.

    Attributes:
      categories: C, category ids are 1..C.
      items: I, item ids are 1..I.
    """

    categories: int
    items: int


def ragged_column(examples: Examples, name: str) -> Ragged:
    """Returns a column whose rows vary in length.

    Raises:
      ContractError: If it is missing or not ragged.
    """
    column = examples.get(name)
    if not isinstance(column, Ragged):
        raise ContractError(f"expected a ragged column '{name}', received {type(column).__name__}")
    return column


def dense_column(examples: Examples, name: str) -> Numbers:
    """Returns a `[N]` or `[N, width]` column.

    Raises:
      ContractError: If it is missing or ragged.
    """
    column = examples.get(name)
    if not isinstance(column, np.ndarray):
        raise ContractError(f"expected an array column '{name}', received {type(column).__name__}")
    return column


def known_ids(ids: Ragged, size: int) -> Ragged:
    """Drops ids outside 1..size and turns the others into columns 0..size - 1.

    Example:
      size 3: [[1, 4], [0], [3]] -> [[0], [], [2]].
    """
    values: Numbers = ids.values
    inside = select(ids, (values >= 1) & (values <= size))
    columns: Numbers = inside.values
    return Ragged(columns - 1, inside.offsets)


def select(ragged: Ragged, keep: npt.NDArray[np.bool_]) -> Ragged:
    """Keeps some values of each row.

    Example:
      [[1, 4], [0], [3]], keep [1, 0, 0, 1] -> [[1], [], [3]].
    """
    lengths = np.bincount(ragged.row_ids[keep], minlength=len(ragged))
    return Ragged(ragged.values[keep], np.concatenate([[0], np.cumsum(lengths)]))


def take_rows(ragged: Ragged, rows: npt.NDArray[np.int64]) -> Ragged:
    """Returns the given rows in the given order.

    Example:
      [[1, 2], [], [3]], rows [2, 0] -> [[3], [1, 2]].
    """
    lengths = ragged.lengths[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    shift = np.repeat(ragged.offsets[:-1][rows] - offsets[:-1], lengths)
    return Ragged(ragged.values[np.arange(offsets[-1]) + shift], offsets)


def take_examples(examples: Examples, rows: npt.NDArray[np.int64]) -> Examples:
    """Returns the given examples in the given order."""
    return {name: take_column(column, rows) for name, column in examples.items()}


def take_column(column: Array | Ragged, rows: npt.NDArray[np.int64]) -> Array | Ragged:
    """Returns the given rows of a column of either kind."""
    return take_rows(column, rows) if isinstance(column, Ragged) else column[rows]


def membership(columns: Ragged, size: int) -> npt.NDArray[np.bool_]:
    """Returns `[N, size]` bool, true where the row holds the column.

    Example:
      size 2: [[0], [], [0, 1]] -> [[1, 0], [0, 0], [1, 1]].
    """
    member = np.zeros((len(columns), size), dtype=np.bool_)
    member[columns.row_ids, columns.values] = True
    return member
