"""Labels that trajectories give themselves: what a later history of a user shows of the time after an earlier cut.

The features of an example at cut c2 describe everything before c2, so also what the user did between an earlier cut c1
and c2. That tells the example at c1 what happened after it, without a label of either:

    cut day 10, profile  tea (recency 1 d)
    cut day 24, profile  milk (3 d), tea (15 d)   ->   after day 10: milk, in the 14 days up to day 24; no tea

A horizon is matched with the later cut whose distance is nearest to it, within a factor of 1.41, and then means the
time up to that cut. Where no such cut exists everything is unknown, as for users who left: they have no later example.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.spaces import Numbers, dense_column, ragged_column, select, take_rows
from interest_migration.ragged import Array, Examples, Ragged, read_examples
from schemas.features import (
    ACTION_IDS,
    CATEGORY_IDS,
    CHURN,
    CUT_TIME,
    FUTURE_CATEGORIES,
    HORIZON_OBSERVED,
    INTEREST_COUNT,
    INTEREST_IDS,
    INTEREST_RECENCY,
    ITEM_IDS,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    STEP_INDEX,
    SWITCHED,
    TRANSFORMED_FEATURES,
    UNKNOWN_LABEL,
    USER,
    label_name,
)

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

COLUMNS: Final = (
    USER,
    CUT_TIME,
    INTEREST_IDS,
    INTEREST_COUNT,
    INTEREST_RECENCY,
    ITEM_IDS,
    CATEGORY_IDS,
    ACTION_IDS,
    STEP_INDEX,
)
"""The features that are read; no label is among them."""

USER_NUMBERS: Final = "user_numbers"
"""Column of a batch: `[B]`, equal for examples of one user."""

_TOLERANCE: Final = 2**0.5
_DAY_SECONDS: Final = 86_400


def read_trajectory_labels(
    paths: Sequence[str], horizon_days: Mapping[str, float], interest_actions: Collection[int] = ()
) -> dict[str, Array | Ragged]:
    """Returns `trajectory_labels` and `USER_NUMBERS` of the examples of sorted files; no label is read."""
    examples = read_examples(paths, [spec for spec in TRANSFORMED_FEATURES if spec.name in COLUMNS])
    numbers = np.unique(np.asarray(examples[USER]), return_inverse=True)[1]
    return trajectory_labels(examples, horizon_days, interest_actions) | {USER_NUMBERS: numbers}


def trajectory_labels(
    examples: Examples, horizon_days: Mapping[str, float], interest_actions: Collection[int] = ()
) -> dict[str, Array | Ragged]:
    """Returns labels of N examples that later examples of the same users give.

    Args:
      examples: `COLUMNS`.
      horizon_days: Horizon -> days.
      interest_actions: Ids of the actions that touch a category; empty means all.

    Returns:
      Transformed label name -> `[N]` or ragged column, all labels of the model.
    """
    users, cuts = dense_column(examples, USER), dense_column(examples, CUT_TIME).astype(np.int64)
    order = _Order.of(users, cuts)
    found = _next_steps(examples, order.next, interest_actions)
    for horizon, days in horizon_days.items():
        found |= _horizon(examples, horizon, order.nearest(days))
    return {label_name(name): column for name, column in found.items()}


@dataclass(frozen=True)
class _Order:
    """Examples sorted by user and cut.

    Attributes:
      rows: `[N]` example at each place.
      users: `[N]` number of the user at each place.
      cuts: `[N]` cut time at each place.
    """

    rows: Integers
    users: Integers
    cuts: Integers

    @classmethod
    def of(cls, users: Numbers, cuts: Integers) -> "_Order":
        numbers = np.unique(users, return_inverse=True)[1]
        rows = np.lexsort((cuts, numbers))
        return cls(rows, numbers[rows], cuts[rows])

    @property
    def next(self) -> Integers:
        """`[N]`, the next example of the same user for each example, -1 if there is none."""
        found = np.full(len(self.rows), -1)
        same = self.users[1:] == self.users[:-1]
        found[self.rows[:-1][same]] = self.rows[1:][same]
        return found

    def nearest(self, days: float) -> Integers:
        """`[N]`, the later example of the same user about `days` later for each example, -1 if there is none."""
        wanted = days * _DAY_SECONDS
        found, best = np.full(len(self.rows), -1), np.full(len(self.rows), np.inf)
        for shift in range(1, int(np.bincount(self.users).max(initial=0))):
            place = np.flatnonzero(self.users[shift:] == self.users[:-shift])
            length = self.cuts[place + shift] - self.cuts[place]
            fits = (length * _TOLERANCE >= wanted) & (length <= wanted * _TOLERANCE)
            distance = np.where(fits, np.abs(length - wanted), np.inf)
            better = distance < best[place]
            best[place[better]] = distance[better]
            found[place[better]] = place[better] + shift
        rows = np.full(len(self.rows), -1)
        rows[self.rows] = np.where(found < 0, -1, self.rows[found])
        return rows


def _horizon(examples: Examples, horizon: str, later: Integers) -> dict[str, Array | Ragged]:
    """Returns labels of the time up to a later example."""
    known = later >= 0
    cuts = dense_column(examples, CUT_TIME).astype(np.int64)
    days = np.where(known, cuts[later] - cuts, -1) / _DAY_SECONDS
    ids = take_rows(ragged_column(examples, INTEREST_IDS), later)
    recency: Numbers = take_rows(ragged_column(examples, INTEREST_RECENCY), later).values
    touched = select(ids, recency <= days[ids.row_ids])
    return {
        HORIZON_OBSERVED[horizon]: known.astype(np.int64),
        FUTURE_CATEGORIES[horizon]: touched,
        NEW_CATEGORIES[horizon]: touched,  # losses and counts look at candidates only
        CHURN[horizon]: np.where(known, touched.lengths == 0, UNKNOWN_LABEL).astype(np.int64),
    }


def _next_steps(examples: Examples, later: Integers, interest_actions: Collection[int]) -> dict[str, Array | Ragged]:
    """Returns labels of the first step after each cut that touches a category, from the next example of the user.

    The profile counts touches, so the difference of two counts tells how many of the later history's events are new.
    """
    category = ragged_column(examples, CATEGORY_IDS)
    action: Numbers = ragged_column(examples, ACTION_IDS).values
    ids: Numbers = category.values
    touch = ids > 0
    if interest_actions:
        touch &= np.isin(action, list(interest_actions))
    touches = select(category, touch)
    steps = Ragged(ragged_column(examples, STEP_INDEX).values[touch], touches.offsets)
    items = Ragged(ragged_column(examples, ITEM_IDS).values[touch], touches.offsets)
    counts = ragged_column(examples, INTEREST_COUNT)
    total = np.bincount(counts.row_ids, weights=counts.values, minlength=len(counts)).round().astype(np.int64)
    new = np.where(later >= 0, total[later] - total, 0)
    whole = (new > 0) & (new <= touches.lengths[later])
    first = np.where(whole, touches.offsets[1:][later] - new, 0)
    step = np.where(whole, steps.values[first] if len(steps.values) else 0, -1)
    # A step that reaches back over the cut shows that the counts do not fit, as for cut profiles.
    before = np.maximum(first - 1, 0)
    whole &= ~((first > touches.offsets[:-1][later]) & (steps.values[before] == step)) if len(steps.values) else False
    chosen, step = np.where(whole, later, -1), np.where(whole, step, -1)
    after = take_rows(steps, chosen)
    inside = after.values == step[after.row_ids]
    categories = _distinct(select(take_rows(touches, chosen), inside))
    return {
        NEXT_CATEGORIES: categories,
        NEXT_ITEMS: _distinct(select(take_rows(items, chosen), inside)),
        SWITCHED: _switched(touches, steps, categories, whole),
    }


def _switched(touches: Ragged, steps: Ragged, following: Ragged, known: Mask) -> Array:
    """Returns `[N]`: 1 if the following step shares no category with the newest touched one, -1 if unknown."""
    known = known & (touches.lengths > 0)
    newest = np.full(len(touches), -1)
    newest[touches.lengths > 0] = steps.values[touches.offsets[1:][touches.lengths > 0] - 1]
    current = select(touches, steps.values == newest[steps.row_ids])
    shared = np.isin(_pairs(following), _pairs(current))
    common = np.bincount(following.row_ids[shared], minlength=len(touches))
    return np.where(known, common == 0, UNKNOWN_LABEL).astype(np.int64)


def _pairs(ragged: Ragged) -> Integers:
    """Returns one number per (row, value)."""
    return ragged.row_ids * (1 << 32) + ragged.values.astype(np.int64)


def _distinct(ragged: Ragged) -> Ragged:
    """Returns the distinct values above 0 of each row, ascending."""
    ids: Numbers = ragged.values
    pairs = np.unique(_pairs(select(ragged, ids > 0)))
    lengths = np.bincount(pairs >> 32, minlength=len(ragged))
    return Ragged(pairs & ((1 << 32) - 1), np.concatenate([[0], np.cumsum(lengths)]))
