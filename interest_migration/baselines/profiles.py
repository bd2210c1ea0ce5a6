"""Interest profiles as dense matrices."""

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.spaces import Numbers, ragged_column
from interest_migration.ragged import Examples
from schemas.features import INTEREST_IDS


def profile_matrix(examples: Examples, name: str, size: int, missing: float = 0) -> npt.NDArray[np.float32]:
    """Returns `[N, size]` values of one `interest_*` feature, `missing` for categories outside the profile.

    Example:
      size 3, ids [3, 1], values [5.0, 2.0] -> [2, 0, 5].
    """
    ids = ragged_column(examples, INTEREST_IDS)
    columns: Numbers = ids.values
    inside = (columns >= 1) & (columns <= size)
    matrix = np.full((len(ids), size), missing, np.float32)
    matrix[ids.row_ids[inside], columns[inside] - 1] = ragged_column(examples, name).values[inside]
    return matrix
