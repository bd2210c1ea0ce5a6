"""Confusion matrix of the next category, without cells that too few users are behind."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.compare import MODEL
from interest_migration.evaluation.measures import Measures
from interest_migration.evaluation.tasks import NEXT_CATEGORY, PREDICTED, TRUE

OTHER = "(other categories)"


@dataclass(frozen=True)
class Confusion:
    """How often which category was predicted where which was true.

    Attributes:
      names: `[C + 1]`, the most frequent true categories and `OTHER`.
      counts: `[C + 1][C + 1]` examples, true in rows; None where too few users are behind it.
    """

    names: tuple[str, ...]
    counts: tuple[tuple[int | None, ...], ...]


def count_confusion(
    measures: Measures, categories: Sequence[str], minimum_users: int, shown: int = 10
) -> Confusion | None:
    """Counts the confusion of the most frequent true categories.

    Args:
      measures: Holds predicted and true ids of the next category.
      categories: Names of ids 1, 2, ...
      minimum_users: Cells with fewer different users are None, and categories with fewer are not shown.
      shown: Most categories that are shown.

    Returns:
      The counts; None if the next category was not measured, or nobody knows the names.
    """
    true, predicted = (measures.find(NEXT_CATEGORY, MODEL, name) for name in (TRUE, PREDICTED))
    if true is None or predicted is None or not categories:
        return None
    known = ~(np.isnan(true) | np.isnan(predicted))
    pairs = np.stack([true[known], predicted[known]]).astype(np.int64)
    users = measures.users[known]
    chosen = _most_frequent(pairs[0], users, minimum_users, shown)
    place = np.full(max(len(categories) + 2, int(pairs.max(initial=0)) + 1), len(chosen))
    place[chosen] = np.arange(len(chosen))
    size = len(chosen) + 1
    cells = place[pairs[0]] * size + place[pairs[1]]
    counts = np.bincount(cells, minlength=size * size)
    behind = np.bincount(np.unique(np.stack([cells, users]), axis=1)[0], minlength=size * size)
    rows = np.where((behind >= minimum_users) | (counts == 0), counts, -1).reshape(size, size).tolist()
    return Confusion(
        names=(*(categories[number - 1] for number in chosen), OTHER),
        counts=tuple(tuple(None if count < 0 else count for count in row) for row in rows),
    )


def _most_frequent(
    true: npt.NDArray[np.int64], users: npt.NDArray[np.int64], minimum_users: int, shown: int
) -> npt.NDArray[np.int64]:
    numbers, counts = np.unique(true, return_counts=True)
    behind = np.unique(np.unique(np.stack([true, users]), axis=1)[0], return_counts=True)[1]
    enough = numbers[behind >= minimum_users]
    order = np.argsort(-counts[behind >= minimum_users], kind="stable")
    return enough[order][:shown]
