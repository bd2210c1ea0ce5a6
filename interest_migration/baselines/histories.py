"""Histories as steps: sets of categories and items with an order between steps and none inside.

A step without any category is passed over, as in the definition of the next-category label. Worked example, one user:

    category_ids [2, 3, 0, 2]   step_index [2, 2, 1, 0]   ->   steps {2, 3}, {2}
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from interest_migration.evaluation.spaces import Numbers, dense_column, ragged_column
from interest_migration.ragged import Examples
from schemas.features import ACTION_IDS, CATEGORY_IDS, CUT_TIME, ITEM_IDS, STEP_INDEX, USER

_CHAIN_STEPS = 3
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 / golden ratio, odd: multiplying by it permutes 64-bit numbers


@dataclass(frozen=True)
class Steps:
    """The S steps of N examples; the steps of an example are consecutive, from old to new.

    Attributes:
      example: `[S]`, example of each step.
      back: `[S]`, steps back from the newest, which is 0.
      first: `[N]`, number of the oldest step; equal to `end` where there is none.
      end: `[N]`, number after that of the newest step.
      event_step: `[E]`, step of each event.
      category: `[E]`, category id of each event.
      item: `[E]`, item id of each event.
      content: `[S]` uint64, a hash of what happened in the step, whatever the order.
    """

    example: npt.NDArray[np.int64]
    back: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    event_step: npt.NDArray[np.int64]
    category: Numbers
    item: Numbers
    content: npt.NDArray[np.uint64]

    def categories(self, size: int) -> sparse.csr_matrix:
        """Returns `[S, size]`, 1 where a step holds category id column + 1."""
        return incidence(self.event_step, self.category, (len(self.example), size))

    def items(self, size: int) -> sparse.csr_matrix:
        """Returns `[S, size]`, 1 where a step holds item id column + 1."""
        return incidence(self.event_step, self.item, (len(self.example), size))


def incidence(rows: Numbers, ids: Numbers, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Returns a 0/1 matrix with a 1 at (row, id - 1); ids outside 1..shape[1] are passed over."""
    inside = (ids >= 1) & (ids <= shape[1])
    ones = np.ones(int(inside.sum()), np.float32)
    matrix = sparse.csr_matrix((ones, (rows[inside], ids[inside] - 1)), shape=shape)
    matrix.data[:] = 1
    return matrix


def read_steps(examples: Examples, feature: str = CATEGORY_IDS) -> Steps:
    """Reads the histories of all examples; events without `feature` are passed over."""
    column = ragged_column(examples, feature)
    kept = np.flatnonzero(column.values != 0)
    example = column.row_ids[kept]
    category = ragged_column(examples, CATEGORY_IDS).values[kept]
    index = ragged_column(examples, STEP_INDEX).values[kept]
    item = ragged_column(examples, ITEM_IDS).values[kept]
    starts = np.flatnonzero((np.diff(example, prepend=-1) != 0) | (np.diff(index, prepend=-1) != 0))
    event_step = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(kept)))
    counts = np.bincount(example[starts], minlength=len(column))
    end = np.cumsum(counts)
    back = end[example[starts]] - 1 - np.arange(len(starts))
    content = _content(starts, category, item, ragged_column(examples, ACTION_IDS).values[kept])
    return Steps(example[starts], back, end - counts, end, event_step, category, item, content)


def count_covered_steps(examples: Examples, steps: Steps) -> npt.NDArray[np.int64]:
    """Returns for each example how many of its newest steps a later example of the same user holds too.

    Histories of one user at several cuts overlap. Times are not among the features, so the newest step of an example
    is looked up in the user's next later example by the content of its last three steps. What that one does not reach,
    still later ones do not reach either. Fewer than three steps are too few to be told apart: an example so short
    counts as covered (two transitions are lost at most), an overlap so short is missed (two count twice at most).

    Returns:
      `[N]`, 0 for each user's newest example.
    """
    _, user = np.unique(dense_column(examples, USER), return_inverse=True)
    order = np.lexsort((dense_column(examples, CUT_TIME), user))
    same = user[order[1:]] == user[order[:-1]]
    older, newer = order[:-1][same], order[1:][same]
    lengths = steps.end - steps.first
    covered = np.zeros(len(user), np.int64)
    covered[older] = np.where(lengths[older] < _CHAIN_STEPS, lengths[older], 0)
    older, newer = older[lengths[older] >= _CHAIN_STEPS], newer[lengths[older] >= _CHAIN_STEPS]
    position = _find(steps, steps.end[older] - 1, newer)
    found = position >= 0
    covered[older[found]] = position[found] - steps.first[newer[found]] + 1
    return np.minimum(covered, lengths)


def _content(starts: Numbers, category: Numbers, item: Numbers, action: Numbers) -> npt.NDArray[np.uint64]:
    if not len(starts):
        return np.zeros(0, np.uint64)
    mixed = np.zeros(len(category), np.uint64)
    for column in (category, item, action):
        mixed = _mix(mixed + column.astype(np.uint64))
    return np.add.reduceat(mixed, starts)


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spreads every bit over all others (a multiply-xor-shift hash)."""
    spread = (values + np.uint64(1)) * _MULTIPLIER
    spread ^= spread >> np.uint64(32)
    return spread * _MULTIPLIER


def _find(steps: Steps, wanted: npt.NDArray[np.int64], within: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Returns the newest step of each example in `within` whose last three steps equal those of `wanted`, or -1."""
    chain = steps.content.copy()
    for distance in range(1, _CHAIN_STEPS):
        chain[distance:] = _mix(chain[distance:]) + _mix(steps.content[:-distance] + np.uint64(distance))
    whole = np.flatnonzero(np.arange(len(chain)) - steps.first[steps.example] >= _CHAIN_STEPS - 1)
    keys = _mix(chain[whole] + _mix(steps.example[whole].astype(np.uint64)))
    order = np.argsort(keys, kind="stable")
    query = _mix(chain[wanted] + _mix(within.astype(np.uint64)))
    place = np.searchsorted(keys[order], query, "right") - 1  # of equal keys the last, which is the newest step
    if not len(whole):
        return np.full(len(wanted), -1)
    candidate = order[np.maximum(place, 0)]
    return np.where((place >= 0) & (keys[candidate] == query), whole[candidate], -1)
