"""Rankings of categories by counting alone: popularity, the user's own categories, older counts."""

import numpy as np
import numpy.typing as npt

from interest_migration.baselines.baseline import break_ties, observed_rows
from interest_migration.baselines.profiles import profile_matrix
from interest_migration.errors import DataError
from interest_migration.evaluation.spaces import IdSpaces, known_ids, ragged_column, take_rows
from interest_migration.evaluation.tasks import NEW_INTEREST_TASK, NEXT_CATEGORY, PROPENSITY_TASK
from interest_migration.ragged import Examples
from schemas.features import (
    FUTURE_CATEGORIES,
    INTEREST_COUNT,
    INTEREST_DECAYED,
    INTEREST_IDS,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    label_name,
)


class CategoryPopularity:
    """How many training examples have the category among the labels of the task, the same for everybody."""

    name = "popularity"

    def __init__(self, task: str, spaces: IdSpaces) -> None:
        self.tasks = (task,)
        self._size = spaces.categories
        self.relative: npt.NDArray[np.float32]

    def fit(self, train: Examples) -> None:
        """Counts labels."""
        counts = _count_labels(train, self.tasks[0], self._size)
        self.relative = (counts / max(int(counts.max(initial=0)), 1)).astype(np.float32)

    def score(self, examples: Examples) -> npt.NDArray[np.float32]:
        """Returns `[N, C]` in [0, 1], relative to the most frequent category."""
        return np.broadcast_to(self.relative, (len(ragged_column(examples, INTEREST_IDS)), self._size))


class UserFrequent:
    """Number of touches of the category, then popularity."""

    name = "user_frequent"

    def __init__(self, task: str, spaces: IdSpaces) -> None:
        self.tasks = (task,)
        self._popularity = CategoryPopularity(task, spaces)
        self._size = spaces.categories

    def fit(self, train: Examples) -> None:
        """Counts labels, for the order of equal counts."""
        self._popularity.fit(train)

    def score(self, examples: Examples) -> npt.NDArray[np.float64]:
        """Returns `[N, C]`."""
        counts = profile_matrix(examples, INTEREST_COUNT, self._size)
        return break_ties(counts, self._popularity.relative, 1.0)


class OlderCounts(UserFrequent):
    """Number of touches before the new-interest window, then popularity among new interests.

    A candidate was not touched in the window, so all its touches are older: on candidates this is `UserFrequent`.
    """

    name = "older_counts_popularity"


class RecencyWeighted:
    """Touches of the category, each halved every 28 days; popularity orders what was never touched."""

    name = "recency_weighted"

    def __init__(self, task: str, spaces: IdSpaces) -> None:
        self.tasks = (task,)
        self._popularity = CategoryPopularity(task, spaces)
        self._size = spaces.categories

    def fit(self, train: Examples) -> None:
        """Counts labels, for the order of untouched categories."""
        self._popularity.fit(train)

    def score(self, examples: Examples) -> npt.NDArray[np.float64]:
        """Returns `[N, C]`."""
        decayed = profile_matrix(examples, INTEREST_DECAYED[1], self._size)
        return np.where(decayed > 0, decayed + 1.0, self._popularity.score(examples))


def _count_labels(train: Examples, task: str, size: int) -> npt.NDArray[np.int64]:
    if task == NEXT_CATEGORY:
        labels = known_ids(ragged_column(train, label_name(NEXT_CATEGORIES)), size)
    else:
        names = {PROPENSITY_TASK[horizon]: (name, horizon) for horizon, name in FUTURE_CATEGORIES.items()}
        names |= {NEW_INTEREST_TASK[horizon]: (name, horizon) for horizon, name in NEW_CATEGORIES.items()}
        name, horizon = names[task]
        labels = known_ids(take_rows(ragged_column(train, label_name(name)), observed_rows(train, horizon)), size)
    if not len(labels.values):
        raise DataError(f"expected training examples with a label of {task}, received none")
    return np.bincount(labels.values, minlength=size)
