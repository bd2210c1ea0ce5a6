"""What counting says of items that were never seen.

popularity            how often the item's narrowest category was met in training
popularity per item   the same over the number of its items, shrunk towards the average by five items
own categories        the narrowest categories that the user met most often, then their popularity
own popularity        how often the item itself was met where training did not look; nobody knows it of a new item
"""

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.spaces import ragged_column
from interest_migration.model.interest_model import ITEM_ATTRIBUTES
from interest_migration.ragged import Examples
from schemas.features import CHILD_IDS, ITEM_IDS

Ids = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
_PRIOR_ITEMS = 5


def describe_items(splits: list[Examples], size: int) -> Ids:
    """Returns `[V + 2, A]` the attributes of every item, as a shop knows them of its whole catalogue."""
    attributes = np.zeros((size + 2, len(ITEM_ATTRIBUTES)), np.int64)
    for examples in splits:
        for column, name in enumerate(ITEM_ATTRIBUTES):
            attributes[ragged_column(examples, ITEM_IDS).values, column] = ragged_column(examples, name).values
    attributes[[0, -1]] = 0
    return attributes


def count_scores(train: Examples, asked: Examples, cold: npt.NDArray[np.bool_], catalogue: Ids) -> dict[str, Scores]:
    """Scores cold items by their narrowest categories.

    Args:
      train: Training examples without cold items, with the ids of `renumber`.
      asked: N examples to score for, the same.
      cold: `[V + 2]`, C of them true.
      catalogue: `[V + 2, A]` attributes of the items.

    Returns:
      Method -> `[N, C]`.
    """
    kinds = catalogue[:, ITEM_ATTRIBUTES.index(CHILD_IDS)]
    count, warm, wanted = int(kinds.max()) + 1, kinds[~cold], kinds[cold]
    popular = _count(warm[ragged_column(train, ITEM_IDS).values], count)
    items = _count(warm, count)
    per_item = (popular + _PRIOR_ITEMS * popular.sum() / max(items.sum(), 1)) / (items + _PRIOR_ITEMS)
    history = ragged_column(asked, ITEM_IDS)
    own = np.zeros((len(history), count))
    np.add.at(own, (history.row_ids, warm[history.values]), 1)
    own[:, 0] = 0
    return {
        "popularity": np.broadcast_to(popular[wanted], (len(history), len(wanted))),
        "popularity per item": np.broadcast_to(per_item[wanted], (len(history), len(wanted))),
        "own categories": own[:, wanted] + popular[wanted] / max(popular.sum(), 1),
    }


def own_popularity(train: Examples, cold: npt.NDArray[np.bool_]) -> Scores:
    """Returns `[C]`, how often cold items were met in training examples that still hold them."""
    counted = np.bincount(ragged_column(train, ITEM_IDS).values, minlength=len(cold))
    return counted[cold].astype(np.float64)


def _count(kinds: Ids, size: int) -> Scores:
    """Counts kinds; 0, "none", is of no kind."""
    counts = np.bincount(kinds, minlength=size).astype(np.float64)
    counts[0] = 0
    return counts
