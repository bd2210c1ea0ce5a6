"""Leave-one-out: the last item of a user is for the test, the one before for validation, all others for training.

items 7 3 9 4 5   ->   training   7 > 3, 3 > 9        (every position but the first a target once)
                       validation 7 3 9 > 4
                       test       7 3 9 4 > 5         (the validation item is read, nothing is learned from it)
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interest_migration.ragged import Ragged

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cuts:
    """Examples: a history and the item that follows it.

    Attributes:
      user: `[N]`, number of the sequence.
      history: N rows of item ids, from old to new.
      label: `[N]`, the item that follows.
    """

    user: Integers
    history: Ragged
    label: Integers


def split(items: Ragged, longest: int) -> dict[str, Cuts]:
    """Returns the cuts of `train`, `eval` and `test`.

    Args:
      items: Sequences of at least three items.
      longest: Items of a history. A longer training sequence is cut several times, so that each of its items is a
        target once, by a model that learns from every position.
    """
    users, lengths = np.arange(len(items)), items.lengths
    pieces = np.maximum(-(-(lengths - 3) // longest), 0)
    trained = np.repeat(users, pieces)
    number = np.arange(len(trained)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return {
        "train": _cut(items, trained, lengths[trained] - 3 - number * longest, longest),
        "eval": _cut(items, users, lengths - 2, longest),
        "test": _cut(items, users, lengths - 1, longest),
    }


def _cut(items: Ragged, users: Integers, position: Integers, longest: int) -> Cuts:
    """Cuts before the item at `position`."""
    start = items.offsets[users] + np.maximum(position - longest, 0)
    lengths = np.minimum(position, longest)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    places = np.arange(offsets[-1]) + np.repeat(start - offsets[:-1], lengths)
    return Cuts(users, Ragged(items.values[places], offsets), items.values[items.offsets[users] + position])
