"""Transformed examples as they would be without some items."""

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.spaces import ragged_column, select
from interest_migration.ragged import Examples, Ragged
from schemas.features import ITEM_IDS, NEXT_ITEMS, TRANSFORMED_FEATURES, Shape, label_name

Mask = npt.NDArray[np.bool_]
_EVENTS = tuple(spec.name for spec in TRANSFORMED_FEATURES if spec.shape is Shape.EVENTS)
_LABEL = label_name(NEXT_ITEMS)


def renumber(cold: Mask) -> npt.NDArray[np.int64]:
    """Returns `[V + 2]` ids of a vocabulary without cold items, which become unknown.

    Args:
      cold: `[V + 2]`, false for "none" and "unknown".

    Example:
      V = 3, item 2 cold -> [0, 1, 3, 2, 3].
    """
    kept = ~cold
    numbers = np.cumsum(kept) - 1
    return np.where(cold, numbers[-1], numbers)


def without_items(examples: Examples, cold: Mask) -> Examples:
    """Returns examples without the events and labels of cold items, with the ids of `renumber`."""
    ids = renumber(cold)
    found = dict(examples)
    kept = ~cold[ragged_column(examples, ITEM_IDS).values]
    for name in _EVENTS:
        found[name] = select(ragged_column(examples, name), kept)
    labels = ragged_column(examples, _LABEL)
    found[_LABEL] = select(labels, ~cold[labels.values])
    for name in (ITEM_IDS, _LABEL):
        column = ragged_column(found, name)
        found[name] = Ragged(ids[column.values], column.offsets)
    return found
