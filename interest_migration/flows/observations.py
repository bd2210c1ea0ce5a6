"""What is counted: a user at a cut, the newest basket before it and the next one after it.

Examples show each user at most once per cut window, so a heavy user weighs as much as a light one, and a basket before
a cut is chosen as a basket after it is: gains and losses between the two are not made by the sampling. The newest
basket is read off the interest profile: it is the categories with the smallest recency.

    interest_ids [7, 3, 9]   interest_recency_days [2.5, 2.5, 40]   next categories [3, 5]   ->   {3, 7} then {3, 5}
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from interest_migration.baselines.histories import incidence
from interest_migration.evaluation.spaces import Numbers, dense_column, ragged_column
from interest_migration.ragged import Examples
from schemas.features import (
    CUT_TIME,
    HORIZON_OBSERVED,
    INTEREST_IDS,
    INTEREST_RECENCY,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    TRANSFORMED_FEATURES,
    USER,
    label_name,
)

HORIZON = "short"
"""New interests are those of this horizon."""

_NAMES = (
    USER,
    CUT_TIME,
    INTEREST_IDS,
    INTEREST_RECENCY,
    *(label_name(name) for name in (NEXT_CATEGORIES, NEW_CATEGORIES[HORIZON], HORIZON_OBSERVED[HORIZON])),
)
FEATURES = tuple(spec for spec in TRANSFORMED_FEATURES if spec.name in _NAMES)
"""The columns of transformed examples that the flows are read from."""


@dataclass(frozen=True)
class Observations:
    """N users at cuts; column j of the 0/1 matrices is category `names[j]`.

    Attributes:
      names: `[C]` category names.
      user: `[N]` int64, 0..U - 1.
      cut_s: `[N]` cut times, Unix seconds.
      now: `[N, C]`, the newest basket before the cut.
      following: `[N, C]`, the first basket at or after it.
      followed: `[N]` bool, whether there is one.
      recent: `[N, C]`, touched in the new-interest window before the cut.
      new: `[N, C]`, touched in the horizon, but not in that window.
      observed: `[N]` bool, whether the log covers the horizon.
    """

    names: tuple[str, ...]
    user: npt.NDArray[np.int64]
    cut_s: npt.NDArray[np.int64]
    now: sparse.csr_matrix
    following: sparse.csr_matrix
    followed: npt.NDArray[np.bool_]
    recent: sparse.csr_matrix
    new: sparse.csr_matrix
    observed: npt.NDArray[np.bool_]

    @property
    def users(self) -> int:
        """U."""
        return int(self.user.max(initial=-1)) + 1


def read_observations(examples: Examples, names: Sequence[str], new_interest_days: float) -> Observations:
    """Reads transformed examples; those without a past are left out.

    Args:
      examples: At least the columns `FEATURES`.
      names: `[C]` categories; id i is `names[i - 1]`, other ids have no name.
      new_interest_days: Window before the cut in which an interest must not have been touched to count as new.
    """
    ids, recency = ragged_column(examples, INTEREST_IDS), ragged_column(examples, INTEREST_RECENCY)
    days: Numbers = recency.values
    newest = np.full(len(ids), np.inf)
    np.minimum.at(newest, ids.row_ids, days)
    kept, size = np.isfinite(newest), len(names)
    following = ragged_column(examples, label_name(NEXT_CATEGORIES))
    new = ragged_column(examples, label_name(NEW_CATEGORIES[HORIZON]))

    def matrix(rows: Numbers, values: Numbers) -> sparse.csr_matrix:
        return incidence(rows, values, (len(ids), size))[kept]

    is_newest, is_recent = days == newest[ids.row_ids], days <= new_interest_days
    return Observations(
        names=tuple(names),
        user=np.unique(dense_column(examples, USER)[kept], return_inverse=True)[1].astype(np.int64),
        cut_s=dense_column(examples, CUT_TIME)[kept],
        now=matrix(ids.row_ids[is_newest], ids.values[is_newest]),
        following=matrix(following.row_ids, following.values),
        followed=following.lengths[kept] > 0,
        recent=matrix(ids.row_ids[is_recent], ids.values[is_recent]),
        new=matrix(new.row_ids, new.values),
        observed=dense_column(examples, label_name(HORIZON_OBSERVED[HORIZON]))[kept] == 1,
    )


def user_matrix(user: npt.NDArray[np.int64], users: int) -> sparse.csr_matrix:
    """Returns `[N, U]`, 1 where observation i is of user u."""
    return sparse.csr_matrix((np.ones(len(user)), (np.arange(len(user)), user)), shape=(len(user), users))


def count_users(matrix: sparse.csr_matrix, user: npt.NDArray[np.int64], users: int) -> npt.NDArray[np.int64]:
    """Returns `[C]`, how many different users have a value in each column of `[N, C]`."""
    return np.asarray((matrix.T @ user_matrix(user, users)).tocsr().getnnz(axis=1), np.int64)
