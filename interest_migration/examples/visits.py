"""The rhythm of visits: when and how often users did what counts as staying.

A *visit* is a step with one of `churn_actions`; without any configured, every step. Other steps (a message received, a
coupon) say little about whether somebody will come again.
"""

import numpy as np

from interest_migration.examples.cuts import Cuts, churn_times
from interest_migration.examples.lists import Columns, floats, list_column, scalar_column
from interest_migration.examples.log import DAY_SECONDS
from interest_migration.examples.ranges import GroupedTimes, offsets_of, run_starts
from interest_migration.examples.settings import ExampleSettings
from schemas.features import ABSENCE, VISIT_RECENCY, WINDOW_DAYS, WINDOW_VISITS


def list_visits(cuts: Cuts, settings: ExampleSettings) -> Columns:
    """Makes visits per window, recency of the newest visit, and days of absence.

    All sums run over whole seconds, so that neither other users nor later events change a bit of them.

    Example:
      Visits on days 1, 3 and 7, cut on day 10 -> recency 3; absent more than 1 day on 1 + 3 + 2 days, more than 3 days
      on 1 day.
    """
    times = churn_times(cuts.shard, settings) if settings.churn_actions else cuts.shard.timeline
    seconds = run_starts(times.keys)
    user, time_s = times.groups[seconds], times.times_s[seconds]
    visits = GroupedTimes(user, time_s)
    first = offsets_of(user, len(cuts.shard.users))[:-1][cuts.user]
    end = visits.first_from(cuts.user, cuts.time_s)
    days_s = np.array(WINDOW_DAYS) * DAY_SECONDS
    inside = end[:, None] - visits.first_from(cuts.user[:, None], cuts.time_s[:, None] - days_s)

    last = np.maximum(end - 1, 0)
    known, padded = end > first, np.append(time_s, 0)
    since_s = cuts.time_s - np.where(known, padded[last], cuts.shard.time_s[cuts.start])
    running_s = np.where(known[:, None], np.maximum(since_s[:, None] - days_s, 0), 0)
    gap_s = np.diff(padded, prepend=padded[:1])
    totals = np.cumsum(np.maximum(gap_s[:, None] - days_s, 0), axis=0)
    before_s = np.where(known[:, None], totals[last] - totals[np.minimum(first, last)], 0)
    widths = np.full(len(cuts), len(WINDOW_DAYS))
    return {
        WINDOW_VISITS: list_column(floats(inside.ravel()), widths),
        ABSENCE: list_column(floats((before_s + running_s).ravel() / DAY_SECONDS), widths),
        VISIT_RECENCY: scalar_column(floats(since_s / DAY_SECONDS)),
    }
