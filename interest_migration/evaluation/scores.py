"""What a method hands over to be scored.

churn_*                       `[N]` higher means more likely to leave
propensity_*, new_interest_*  `[N, C]` column j is category id j + 1
next_category                 `[N, C]`
next_item                     `RowScorer`: blocks of `[b, I]`, since N x I may not fit into memory
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from interest_migration.errors import ContractError
from interest_migration.evaluation.spaces import Numbers


class RowScorer(Protocol):
    """Scores a block of consecutive examples."""

    def __call__(self, start: int, stop: int) -> Numbers:
        """Returns `[stop - start, I]` scores of examples start..stop - 1; column j is item id j + 1."""


Scores = Numbers | RowScorer
TaskScores = Mapping[str, Scores]
"""Task -> scores of one method."""

MethodScores = Mapping[str, Mapping[str, Scores]]
"""Task -> method -> scores."""


@dataclass(frozen=True)
class RankedItems:
    """Scores from lists that are already ranked; everything outside a list is tied for the last place.

    Attributes:
      ids: `[N, K]` distinct item ids, best first; 0 and I + 1 are skipped.
      items: I.

    Example:
      ids [[3, 1]], I = 4 -> scores [[1, 0, 2, 0]].
    """

    ids: Numbers
    items: int

    def __call__(self, start: int, stop: int) -> Numbers:
        """Returns `[stop - start, I]` scores: K for the first of the list, K - 1 for the second, ..., else 0."""
        ids = self.ids[start:stop].astype(np.int64)
        if ids.size and (ids.min() < 0 or ids.max() > self.items + 1):
            raise ContractError(f"expected item ids 0..{self.items + 1}, received {ids.min()}..{ids.max()}")
        scores = np.zeros((len(ids), self.items + 2), np.float32)
        np.put_along_axis(scores, ids, np.arange(ids.shape[1], 0, -1, dtype=np.float32)[None, :], axis=1)
        return scores[:, 1 : self.items + 1]
