"""Next item: transition counts, popularity, the user's own items; all in blocks of rows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from interest_migration.baselines.histories import Steps, read_steps
from interest_migration.baselines.settings import BaselineSettings
from interest_migration.baselines.transitions import Transitions, count_transitions
from interest_migration.errors import DataError
from interest_migration.evaluation.spaces import IdSpaces, known_ids, ragged_column
from interest_migration.evaluation.tasks import NEXT_ITEM
from interest_migration.ragged import Examples, Ragged
from schemas.features import ITEM_IDS, NEXT_ITEMS, label_name


@dataclass(frozen=True)
class BlockScorer:
    """Scores a block of examples: `history @ counts + popularity`.

    Attributes:
      history: `[N, I]` sparse weights of the items in each history.
      counts: `[I, I]` sparse, what follows an item; None for the item itself.
      popularity: `[I]`, added to every row.
    """

    history: sparse.csr_matrix
    counts: sparse.csr_matrix | None
    popularity: npt.NDArray[np.float32]

    def __call__(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Returns `[stop - start, I]`."""
        block = self.history[start:stop] if self.counts is None else self.history[start:stop] @ self.counts
        scores: npt.NDArray[np.float32] = block.toarray() + self.popularity
        return scores


class ItemTransitions:
    """How often an item followed the items of the user's newest steps; older steps weigh less.

    Items that were never reached in training keep a score of 0 and are tied for the last place.
    """

    name = "item_transitions"
    tasks = (NEXT_ITEM,)

    def __init__(self, spaces: IdSpaces, settings: BaselineSettings) -> None:
        self._size = spaces.items
        self._settings = settings
        self._transitions: Transitions

    def fit(self, train: Examples) -> None:
        """Counts item transitions."""
        steps = read_steps(train, ITEM_IDS)
        self._transitions = count_transitions(train, steps, steps.items(self._size), label_name(NEXT_ITEMS))

    def score(self, examples: Examples) -> BlockScorer:
        """Returns a scorer of blocks."""
        history = self._recent(read_steps(examples, ITEM_IDS))
        return BlockScorer(history, self._transitions.counts, self._transitions.popularity * 1e-4)

    def _recent(self, steps: Steps) -> sparse.csr_matrix:
        """Returns `[N, I]`, weight of each item among the newest steps."""
        occurrences = steps.items(self._size)
        recent = np.flatnonzero(steps.back < self._settings.item_history_steps)
        weights = (self._settings.item_step_decay ** steps.back[recent]).astype(np.float32)
        shape = (len(steps.end), len(steps.example))
        return sparse.csr_matrix((weights, (steps.example[recent], recent)), shape=shape) @ occurrences


class ItemPopularity:
    """The items that most training examples reach next, the same for everybody."""

    name = "popularity"
    tasks = (NEXT_ITEM,)

    def __init__(self, spaces: IdSpaces) -> None:
        self._size = spaces.items
        self._relative: npt.NDArray[np.float32]

    def fit(self, train: Examples) -> None:
        """Counts labels."""
        labels = known_ids(ragged_column(train, label_name(NEXT_ITEMS)), self._size)
        if not len(labels.values):
            raise DataError("expected training examples with a known next item, received none")
        counts = np.bincount(labels.values, minlength=self._size)
        self._relative = (counts / counts.max()).astype(np.float32)

    def score(self, examples: Examples) -> BlockScorer:
        """Returns a scorer of blocks."""
        nothing = sparse.csr_matrix((len(ragged_column(examples, ITEM_IDS)), self._size), dtype=np.float32)
        return BlockScorer(nothing, None, self._relative)


class FrequentItems(ItemPopularity):
    """The user's items by number of events in the history, then popularity: strong where people buy again."""

    name = "user_frequent"

    def score(self, examples: Examples) -> BlockScorer:
        """Returns a scorer of blocks."""
        items = known_ids(ragged_column(examples, ITEM_IDS), self._size)
        return BlockScorer(_count_items(items, self._size), None, self._relative * np.float32(0.5))


def _count_items(items: Ragged, size: int) -> sparse.csr_matrix:
    """Returns `[N, size]`, how often each column occurs in each row."""
    counts = sparse.csr_matrix(
        (np.ones(len(items.values), np.float32), items.values, items.offsets), shape=(len(items), size)
    )
    counts.sum_duplicates()
    return counts
