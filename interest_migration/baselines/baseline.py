"""What every baseline offers."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from interest_migration.errors import DataError
from interest_migration.evaluation.scores import Scores
from interest_migration.evaluation.spaces import Numbers, dense_column
from interest_migration.ragged import Examples
from schemas.features import HORIZON_OBSERVED, label_name


class Baseline(Protocol):
    """A method that learns from training examples and scores any examples.

    Attributes:
      name: Name in reports.
      tasks: Tasks that its scores serve, see `interest_migration.evaluation.tasks`.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above

    @property
    def tasks(self) -> tuple[str, ...]: ...  # noqa: D102 - described above

    def fit(self, train: Examples) -> None:
        """Learns from training examples.

        Raises:
          DataError: If they lack what it learns from, such as any known label.
        """

    def score(self, examples: Examples) -> Scores:
        """Returns scores of the form that the tasks need; labels of `examples` are not read."""


def observed_rows(train: Examples, horizon: str) -> npt.NDArray[np.int64]:
    """Returns the examples whose horizon the log covers.

    Raises:
      DataError: If there is none.
    """
    rows = np.flatnonzero(dense_column(train, label_name(HORIZON_OBSERVED[horizon])) == 1)
    if not len(rows):
        raise DataError(f"expected training examples whose {horizon} horizon the log covers, received none")
    return rows


def break_ties(scores: Numbers, popularity: Numbers, smallest_gap: float) -> npt.NDArray[np.float64]:
    """Adds popularity so weakly that it orders equal scores only.

    Args:
      scores: `[N, V]`.
      popularity: `[V]` in [0, 1].
      smallest_gap: Scores that differ, differ by at least this.
    """
    ordered: npt.NDArray[np.float64] = scores + popularity.astype(np.float64) * (smallest_gap / 2)
    return ordered
