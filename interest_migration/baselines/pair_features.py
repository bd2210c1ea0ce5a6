"""Features of (user, category) pairs for gradient boosting."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from interest_migration.baselines.aggregates import aggregate_columns, aggregate_index
from interest_migration.baselines.profiles import profile_matrix
from interest_migration.evaluation.spaces import dense_column
from interest_migration.ragged import Examples
from schemas.features import (
    CUT_TIME,
    GAP_MEAN,
    INTEREST_COUNT,
    INTEREST_DECAYED,
    INTEREST_RECENCY,
    LIFETIME_STEPS,
    RECENCY,
    TENURE,
    USER,
    WINDOW_CATEGORIES,
    WINDOW_STEPS,
)

Matrix = npt.NDArray[np.float32]

_USER_COLUMNS = (
    *map(aggregate_index, (RECENCY, TENURE, LIFETIME_STEPS, GAP_MEAN)),
    *(aggregate_index(WINDOW_STEPS, days) for days in (7, 28, 56, 112)),
    *(aggregate_index(WINDOW_CATEGORIES, days) for days in (28, 56)),
)


@dataclass(frozen=True)
class CoInterest:
    """How often categories are found together in interest profiles (item-based collaborative filtering).

    Attributes:
      similarity: `[C, C]` cosine between the sets of users who touched a and b; 0 on the diagonal.
    """

    similarity: Matrix

    @classmethod
    def count(cls, train: Examples, size: int) -> Self:
        """Counts over the newest profile of each user."""
        _, user = np.unique(dense_column(train, USER), return_inverse=True)
        order = np.lexsort((dense_column(train, CUT_TIME), user))
        newest = order[np.append(np.flatnonzero(np.diff(user[order])), len(order) - 1)]
        touched = (profile_matrix(train, INTEREST_COUNT, size)[newest] > 0).astype(np.float32)
        together = touched.T @ touched
        norms = np.sqrt(np.maximum(np.diag(together), 1))
        similarity = together / np.outer(norms, norms)
        np.fill_diagonal(similarity, 0)
        return cls(similarity)

    def score(self, decayed: Matrix) -> Matrix:
        """Returns `[N, C]`, mean similarity to the user's categories, weighted by log decayed count."""
        weights = np.log1p(decayed)
        scores: Matrix = (weights @ self.similarity) / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
        return scores


@dataclass(frozen=True)
class PairFeatures:
    """Feature values of all pairs of N users and C categories, assembled for some pairs at a time.

    Attributes:
      by_pair: `[N, C]` each.
      by_category: `[C]` each.
      by_user: `[N, width]`.
    """

    by_pair: tuple[Matrix, ...]
    by_category: tuple[Matrix, ...]
    by_user: Matrix

    @classmethod
    def build(cls, examples: Examples, co_interest: CoInterest, by_category: tuple[Matrix, ...]) -> Self:
        """Reads counts, recency, decayed counts and aggregates, and adds co-interest scores."""
        size = len(co_interest.similarity)
        decayed = tuple(profile_matrix(examples, name, size) for name in INTEREST_DECAYED)
        counts = profile_matrix(examples, INTEREST_COUNT, size)
        recency = profile_matrix(examples, INTEREST_RECENCY, size, missing=np.nan)
        by_pair = (counts, recency, *decayed, co_interest.score(decayed[-1]))
        return cls(by_pair, by_category, aggregate_columns(examples, _USER_COLUMNS))

    def take(self, pairs: npt.NDArray[np.int64]) -> Matrix:
        """Returns `[P, features]` of the pairs with flat index user * C + category."""
        user, category = np.divmod(pairs, self.by_pair[0].shape[1])
        columns = [values[user, category] for values in self.by_pair]
        columns += [values[category] for values in self.by_category]
        return np.column_stack([*columns, self.by_user[user]])
