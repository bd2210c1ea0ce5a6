"""Which texts of items followed which in training, for tuning the language model."""

import numpy as np

from interest_migration.baselines.histories import read_steps
from interest_migration.baselines.transitions import count_transitions
from interest_migration.language.text_pairs import TextPairs
from interest_migration.ragged import Examples
from schemas.features import ITEM_IDS, NEXT_ITEMS, label_name


def pair_items(train: Examples, size: int) -> TextPairs:
    """Pairs the items of consecutive steps, each transition counted once.

    Args:
      train: Transformed training examples.
      size: V; the text of item id i has the index i - 1.

    Returns:
      Pairs with the number of transitions as weights.

    Raises:
      DataError: If there is no transition.

    Example:
      steps {1}, {2, 3}, next item 1 -> 0 to 1, 0 to 2, 1 to 0, 2 to 0, each of weight 1.
    """
    steps = read_steps(train, ITEM_IDS)
    counts = count_transitions(train, steps, steps.items(size), label_name(NEXT_ITEMS)).counts.tocoo()
    return TextPairs(counts.row.astype(np.int64), counts.col.astype(np.int64), counts.data)
