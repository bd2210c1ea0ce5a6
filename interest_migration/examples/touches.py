"""When users touched categories of interest, and what every example sees of that before and after its cut.

A *touch* is an event with one of `interest_actions` and a category. Interest profile, next step, switch, categories in
a horizon and new interests are all read from the same table of (example, category) pairs, so they cannot disagree.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from interest_migration.examples.cuts import Cuts
from interest_migration.examples.log import DAY_SECONDS
from interest_migration.examples.ranges import GroupedTimes, IntArray, expand_ranges, offsets_of, run_starts
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.shard import ShardEvents
from schemas.events import ACTIONS
from schemas.features import DECAY_HALF_LIFE_DAYS, STRENGTH_HALF_LIFE_DAYS

NEVER_BEFORE: Final = -(2**62)
NEVER_AFTER: Final = 2**62
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Touches:
    """T touches, sorted by (user, category) group and time; G groups.

    Attributes:
      names: `[V]` category names.
      category: `[G]` index into `names`, ascending within a user.
      user_groups: `[U + 1]` first group of each user, and G.
      offsets: `[G + 1]` first touch of each group, and T.
      time_s: `[T]` time of the touch.
      decayed: For each half-life, `[T]` the group's touches up to and with this one, weighted by their age at it.
      times: Finds a group's first touch at or after a time.
    """

    names: pa.LargeBinaryArray
    category: IntArray
    user_groups: IntArray
    offsets: IntArray
    time_s: IntArray
    decayed: tuple[FloatArray, ...]
    times: GroupedTimes


@dataclass(frozen=True)
class Pairs:
    """P pairs of an example and a category that its user ever touches, sorted by example and category name.

    Attributes:
      names: `[V]` category names.
      example: `[P]` index of the example.
      category: `[P]` index into `names`.
      count: `[P]` touches before the cut.
      last_s: `[P]` newest touch before the cut, or NEVER_BEFORE.
      next_s: `[P]` first touch at or after the cut, or NEVER_AFTER.
      decayed: For each half-life, `[P]` touches before the cut weighted by 0.5 ** (age in days / half-life).
    """

    names: pa.LargeBinaryArray
    example: IntArray
    category: IntArray
    count: IntArray
    last_s: IntArray
    next_s: IntArray
    decayed: tuple[FloatArray, ...]

    @cached_property
    def by_strength(self) -> IntArray:
        """Pairs with a past, by example, strength from high to low, and name.

        Strength is the count decayed with a half-life of STRENGTH_HALF_LIFE_DAYS, as float32: what a reader of the
        example sees.
        """
        past = np.flatnonzero(self.count)
        strength = self.decayed[DECAY_HALF_LIFE_DAYS.index(STRENGTH_HALF_LIFE_DAYS)][past].astype(np.float32)
        # Bits of a float32 that is not negative grow with it; pairs come sorted by name and the sort is stable.
        weakness = np.iinfo(np.uint32).max - strength.view(np.uint32)
        keys = (self.example[past] << 32) | weakness.astype(np.int64)
        return past[np.argsort(keys, kind="stable")]


def shows_interest(shard: ShardEvents, settings: ExampleSettings) -> npt.NDArray[np.bool_]:
    """Returns `[N]` whether an event has one of `interest_actions`."""
    return np.isin(shard.action, [ACTIONS.index(action) for action in settings.interest_actions])


def collect_touches(shard: ShardEvents, settings: ExampleSettings) -> Touches:
    """Finds all touches of a shard."""
    events = np.flatnonzero(shows_interest(shard, settings) & (shard.category.codes > 0))
    keys = shard.user[events] * shard.category.size + shard.category.codes[events]
    order = np.argsort(keys, kind="stable")
    keys, time_s = keys[order], shard.time_s[events[order]]
    firsts = run_starts(keys)
    offsets = np.append(firsts, len(keys))
    group = np.repeat(np.arange(len(firsts)), np.diff(offsets))
    return Touches(
        names=shard.category.values,
        category=keys[firsts] % shard.category.size,
        user_groups=offsets_of(keys[firsts] // shard.category.size, len(shard.users)),
        offsets=offsets,
        time_s=time_s,
        decayed=tuple(_decay(time_s, offsets[group], days * DAY_SECONDS) for days in DECAY_HALF_LIFE_DAYS),
        times=GroupedTimes(group, time_s),
    )


def pair_with_categories(cuts: Cuts, touches: Touches) -> Pairs:
    """Looks at every category of each example's user from the example's cut."""
    first_group = touches.user_groups[cuts.user]
    lengths = touches.user_groups[cuts.user + 1] - first_group
    group, example = expand_ranges(first_group, lengths), np.repeat(np.arange(len(cuts)), lengths)
    split = touches.times.first_from(group, cuts.time_s[example])
    start, end = touches.offsets[group], touches.offsets[group + 1]
    past, future = split > start, split < end
    newest = split - past  # of a pair without a past, any valid index: `past` masks it
    newest[newest == len(touches.time_s)] = 0
    last_s = np.where(past, touches.time_s[newest], NEVER_BEFORE)
    next_s = np.full(len(split), NEVER_AFTER)
    next_s[future] = touches.time_s[split[future]]
    age_s = np.where(past, cuts.ages_s(touches.time_s[newest], example), 0)
    decayed = tuple(
        np.where(past, total[newest], 0.0) * _weight(age_s, days * DAY_SECONDS)
        for total, days in zip(touches.decayed, DECAY_HALF_LIFE_DAYS, strict=True)
    )
    return Pairs(touches.names, example, touches.category[group], split - start, last_s, next_s, decayed)


def _decay(time_s: IntArray, group_start: IntArray, half_life_s: int) -> FloatArray:
    """Returns each group's running sum of touches, weighted by age.

    A segmented scan by doubling (Hillis & Steele 1986). Only a touch's own past enters its sum, in an order that
    depends on nothing else: later touches and other users cannot change a bit of it.
    """
    total = np.ones(len(time_s))
    reach = np.arange(len(time_s)) - group_start
    distance = 1
    rows = np.flatnonzero(reach >= distance)
    while len(rows):
        before = rows - distance
        total[rows] += total[before] * _weight(time_s[rows] - time_s[before], half_life_s)
        distance *= 2
        rows = rows[reach[rows] >= distance]
    return total


def _weight(age_s: IntArray, half_life_s: int) -> FloatArray:
    return np.exp2(age_s / -half_life_s)
