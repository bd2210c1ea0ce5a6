"""What happened at or after the cut. Labels that the log cannot tell are absent, not zero."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from interest_migration.examples.cuts import Cuts, churn_times
from interest_migration.examples.lists import Columns, list_column, scalar_column
from interest_migration.examples.log import TimeRange, whole_seconds
from interest_migration.examples.ranges import IntArray, expand_ranges
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.splits import Schedule
from interest_migration.examples.touches import NEVER_AFTER, NEVER_BEFORE, Pairs, shows_interest
from schemas.features import (
    CHURN,
    FUTURE_CATEGORIES,
    HORIZON_OBSERVED,
    HORIZONS,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    SWITCHED,
)

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LabelRules:
    """What decides which labels are known.

    Attributes:
      log: Time that the whole log covers.
      schedule: The cuts, the embargo and the usable horizons.
      settings: Definition of examples.
    """

    log: TimeRange
    schedule: Schedule
    settings: ExampleSettings


def label_future(cuts: Cuts, pairs: Pairs, rules: LabelRules) -> Columns:
    """Makes all labels."""
    columns = _label_next_step(cuts, pairs, rules)
    for horizon in HORIZONS:
        columns.update(_label_horizon(cuts, pairs, rules, horizon))
    return columns


def _label_next_step(cuts: Cuts, pairs: Pairs, rules: LabelRules) -> Columns:
    """The next step is the first with a touch at or after the cut; it counts if it falls within the embargo."""
    next_s = np.full(len(cuts), NEVER_AFTER)
    np.minimum.at(next_s, pairs.example, pairs.next_s)
    last_s = np.full(len(cuts), NEVER_BEFORE)
    np.maximum.at(last_s, pairs.example, pairs.last_s)
    known = next_s < cuts.time_s + rules.schedule.embargo_s
    in_next = known[pairs.example] & (pairs.next_s == next_s[pairs.example])
    in_last = (pairs.count > 0) & (pairs.last_s == last_s[pairs.example])
    shared = np.bincount(pairs.example[in_next & in_last], minlength=len(cuts)) > 0
    return {
        NEXT_CATEGORIES: _list_categories(cuts, pairs, in_next, known),
        NEXT_ITEMS: _list_items(cuts, next_s, known, rules.settings),
        SWITCHED: scalar_column(pa.array((~shared).astype(np.int64)), known & (last_s > NEVER_BEFORE)),
    }


def _label_horizon(cuts: Cuts, pairs: Pairs, rules: LabelRules, horizon: str) -> Columns:
    settings = rules.settings
    end_s = cuts.time_s + whole_seconds(getattr(settings.horizons_days, horizon))
    observed = (end_s <= rules.log.end_s) & (horizon in rules.schedule.usable)
    in_future = observed[pairs.example] & (pairs.next_s < end_s[pairs.example])
    recent_s = cuts.time_s[pairs.example] - whole_seconds(settings.new_interest_days)
    return {
        HORIZON_OBSERVED[horizon]: scalar_column(pa.array(observed.astype(np.int64))),
        FUTURE_CATEGORIES[horizon]: _list_categories(cuts, pairs, in_future, observed),
        NEW_CATEGORIES[horizon]: _list_categories(cuts, pairs, in_future & (pairs.last_s < recent_s), observed),
        CHURN[horizon]: _label_churn(cuts, end_s, observed, rules),
    }


def _label_churn(cuts: Cuts, end_s: IntArray, observed: BoolArray, rules: LabelRules) -> pa.LargeListArray:
    """Churn is known only where the log covers the horizon and the whole activity window before the cut."""
    times = churn_times(cuts.shard, rules.settings)
    gone = times.first_from(cuts.user, cuts.time_s) == times.first_from(cuts.user, end_s)
    covered = cuts.time_s - whole_seconds(rules.settings.active_days) >= rules.log.start_s
    known = observed & covered & bool(rules.settings.churn_actions)
    return scalar_column(pa.array(gone.astype(np.int64)), known)


def _list_categories(cuts: Cuts, pairs: Pairs, chosen: BoolArray, known: BoolArray) -> pa.LargeListArray:
    lengths = np.bincount(pairs.example[chosen], minlength=len(cuts))
    return list_column(pairs.names.take(pa.array(pairs.category[chosen])), lengths, known)


def _list_items(cuts: Cuts, next_s: IntArray, known: BoolArray, settings: ExampleSettings) -> pa.LargeListArray:
    """Lists the distinct items of the next step's events that have one of `interest_actions`."""
    shard, rows = cuts.shard, np.flatnonzero(known)
    step = shard.step[shard.timeline.first_from(cuts.user[rows], next_s[rows])]
    lengths = shard.step_offsets[step + 1] - shard.step_offsets[step]
    event, example = expand_ranges(shard.step_offsets[step], lengths), np.repeat(rows, lengths)
    counts = (shows_interest(shard, settings) & (shard.item.codes > 0))[event]
    keys = np.unique(example[counts] * shard.item.size + shard.item.codes[event[counts]])
    items = shard.item.values.take(pa.array(keys % shard.item.size))
    return list_column(items, np.bincount(keys // shard.item.size, minlength=len(cuts)), known)
