"""Tables of one row per value of a vocabulary, carried over to another vocabulary.

    old vocabulary  tea, milk        rows  none, tea, milk, unknown
    new vocabulary  milk, oats, tea  rows  none, milk, oats, tea, unknown
    taken from old row                     0     2     -1    1    3

Row -1 stands for no row.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.model.variables import Rows

Numbers = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.int64]


def match_values(new: pa.Array, old: pa.Array) -> Places:
    """Returns for each of the V new values its place among the old ones, -1 if it is not there."""
    found = pc.fill_null(pc.index_in(new, value_set=old), -1)
    return np.asarray(found, dtype=np.int64)


def match_rows(rows: Rows, places: Places, old_size: int) -> Places:
    """Returns for each new row the old row that it is taken from, -1 if there is none.

    Args:
      rows: What the rows stand for.
      places: `[V]`, what `match_values` returned.
      old_size: Number of values of the old vocabulary.
    """
    shifted = np.where(places < 0, -1, places + rows.none)
    return np.concatenate([[0] * rows.none, shifted, [old_size + rows.none] * rows.unknown]).astype(np.int64)


def carry_rows(old: Numbers, fresh: Numbers, taken: Places) -> Numbers:
    """Returns the new table: rows without an old one stay as they are in a fresh model.

    Args:
      old: `[R1, ...]` learned rows.
      fresh: `[R2, ...]` rows of a model that has learned nothing.
      taken: `[R2]`, what `match_rows` returned.

    Example:
      old [5, 7], fresh [1, 2, 3], taken [1, -1, 0] -> [7, 2, 5].
    """
    known = taken >= 0
    table = fresh.copy()
    table[known] = old[taken[known]]
    return table
