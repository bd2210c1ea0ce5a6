"""Where each user of a shard is cut: one cut per window at most, and only while the user is active."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from interest_migration.examples.log import whole_seconds
from interest_migration.examples.pseudonyms import mix_numbers, number_pseudonyms
from interest_migration.examples.ranges import GroupedTimes, IntArray, run_starts
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.shard import ShardEvents
from interest_migration.examples.splits import CutWindow, Split
from schemas.events import ACTIONS

_SHIFT_SALT, _STEP_SALT, _HOLDOUT_SALT = 1, 2, 3
_HASH_RANGE: Final = 2.0**64


@dataclass(frozen=True)
class Cuts:
    """E examples of a shard: users at cut times, sorted by user and time.

    Attributes:
      shard: The events.
      user: `[E]` index into the shard's users, each with at least one event before the cut.
      time_s: `[E]` cut times.
    """

    shard: ShardEvents
    user: IntArray
    time_s: IntArray

    def __len__(self) -> int:
        return len(self.user)

    @cached_property
    def start(self) -> IntArray:
        """`[E]` the user's first event."""
        return self.shard.user_offsets[self.user]

    @cached_property
    def end(self) -> IntArray:
        """`[E]` one past the newest event before the cut."""
        return self.shard.timeline.first_from(self.user, self.time_s)

    def ages_s(self, times_s: IntArray, examples: IntArray) -> IntArray:
        """Returns seconds from each time to the cut of the example it belongs to."""
        return self.time_s[examples] - times_s


def choose_cuts(shard: ShardEvents, windows: Sequence[CutWindow], settings: ExampleSettings, split: Split) -> Cuts:
    """Chooses the cuts of one split.

    `calendar`: every user is cut once in every window, at a second that depends on the user's pseudonym, the window's
    start and the seed (in eval and test a window is one second wide). `events`: a user is cut one second after one of
    their steps, of those that put the cut into the window the one whose hash is least. Users without a churn action
    (without `churn_actions`: without an event) in the `active_days` before a cut are left out of it.
    """
    first = np.array([window.first_s for window in windows], np.int64)
    last = np.array([window.last_s for window in windows], np.int64)
    numbers = number_pseudonyms(shard.users)
    sample = _sample_calendar if settings.sampling == "calendar" else _sample_steps
    user, time_s = sample(shard, numbers, first, last, settings.seed)
    chosen = _takes_part(numbers, settings, split)[user] & _is_active(shard, user, time_s, settings)
    return Cuts(shard, user[chosen], time_s[chosen])


def _sample_calendar(
    shard: ShardEvents, numbers: IntArray, first: IntArray, last: IntArray, seed: int
) -> tuple[IntArray, IntArray]:
    hashes = mix_numbers(numbers[:, None], first[None, :], seed, _SHIFT_SALT)
    shifts = (hashes % (last - first + 1).astype(np.uint64)).astype(np.int64)
    return np.repeat(np.arange(len(numbers)), len(first)), (first + shifts).ravel()


def _sample_steps(
    shard: ShardEvents, numbers: IntArray, first: IntArray, last: IntArray, seed: int
) -> tuple[IntArray, IntArray]:
    steps = shard.step_offsets[:-1]
    user, cut_s = shard.user[steps], shard.time_s[steps] + 1
    window = np.searchsorted(first, cut_s, side="right") - 1
    inside = (window >= 0) & (cut_s <= last[window])
    user, cut_s, window = user[inside], cut_s[inside], window[inside]
    group = user * len(first) + window
    order = np.lexsort([mix_numbers(numbers[user], cut_s, seed, _STEP_SALT), group])
    chosen = order[run_starts(group[order])]
    return user[chosen], cut_s[chosen]


def _takes_part(numbers: IntArray, settings: ExampleSettings, split: Split) -> npt.NDArray[np.bool_]:
    """Returns `[U]` whether a user may appear in a split."""
    if not settings.user_holdout:
        return np.ones(len(numbers), bool)
    held_out = mix_numbers(numbers, settings.seed, _HOLDOUT_SALT) < settings.user_holdout * _HASH_RANGE
    return ~held_out if split == "train" else held_out


def _is_active(shard: ShardEvents, user: IntArray, cut_s: IntArray, settings: ExampleSettings) -> npt.NDArray[np.bool_]:
    times = churn_times(shard, settings) if settings.churn_actions else shard.timeline
    return times.first_from(user, cut_s - whole_seconds(settings.active_days)) < times.first_from(user, cut_s)


def churn_times(shard: ShardEvents, settings: ExampleSettings) -> GroupedTimes:
    """Returns the times of each user's churn actions."""
    counts = np.isin(shard.action, [ACTIONS.index(action) for action in settings.churn_actions])
    return GroupedTimes(shard.user[counts], shard.time_s[counts])
