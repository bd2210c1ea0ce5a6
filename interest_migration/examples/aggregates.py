"""Numbers that sum up a user's past: windows before the cut, recency, tenure, life time and gaps between steps."""

import numpy as np
import numpy.typing as npt

from interest_migration.examples.cuts import Cuts
from interest_migration.examples.lists import Columns, floats, list_column, scalar_column
from interest_migration.examples.log import DAY_SECONDS
from interest_migration.examples.ranges import IntArray
from interest_migration.examples.shard import ShardEvents
from interest_migration.examples.touches import Pairs
from schemas.features import (
    GAP_DEVIATION,
    GAP_LAST,
    GAP_MEAN,
    LIFETIME_EVENTS,
    LIFETIME_SPEND,
    LIFETIME_STEPS,
    RECENCY,
    TENURE,
    WINDOW_CATEGORIES,
    WINDOW_DAYS,
    WINDOW_EVENTS,
    WINDOW_SPEND,
    WINDOW_STEPS,
)

FloatArray = npt.NDArray[np.float64]


def aggregate_past(cuts: Cuts, pairs: Pairs) -> Columns:
    """Makes the windowed features, recency, tenure, life-time totals and gaps."""
    shard, start, end = cuts.shard, cuts.start, cuts.end
    days = np.array(WINDOW_DAYS) * DAY_SECONDS
    starts = shard.timeline.first_from(cuts.user[:, None], cuts.time_s[:, None] - days)
    ends = np.broadcast_to(end[:, None], starts.shape)
    windows = {
        WINDOW_EVENTS: ends - starts,
        WINDOW_STEPS: count_steps(shard, starts, ends),
        WINDOW_SPEND: sum_spend(shard, starts, ends),
        WINDOW_CATEGORIES: _count_categories(cuts, pairs),
    }
    scalars = {
        RECENCY: (cuts.time_s - shard.time_s[end - 1]) / DAY_SECONDS,
        TENURE: tenure_days(cuts),
        LIFETIME_EVENTS: end - start,
        LIFETIME_STEPS: count_steps(shard, start, end),
        LIFETIME_SPEND: sum_spend(shard, start, end),
        **_measure_gaps(cuts),
    }
    widths = np.full(len(cuts), len(WINDOW_DAYS))
    return {
        **{name: list_column(floats(values.ravel()), widths) for name, values in windows.items()},
        **{name: scalar_column(floats(values)) for name, values in scalars.items()},
    }


def tenure_days(cuts: Cuts) -> FloatArray:
    """Returns `[E]` days from the user's first event to the cut."""
    return (cuts.time_s - cuts.shard.time_s[cuts.start]) / DAY_SECONDS


def count_steps(shard: ShardEvents, starts: IntArray, ends: IntArray) -> IntArray:
    """Returns the steps of each range of events; ranges begin and end with whole steps."""
    step = np.append(shard.step, len(shard.step_offsets) - 1)
    return step[ends] - step[starts]


def sum_spend(shard: ShardEvents, starts: IntArray, ends: IntArray) -> FloatArray:
    """Returns the spend of each range of events.

    Each range is summed by itself, not as a difference of running totals: rounding must not carry other users' or later
    events into it.
    """
    paid = np.flatnonzero(shard.spend)
    amounts = np.append(shard.spend[paid], 0.0)
    bounds = np.stack([np.searchsorted(paid, starts), np.searchsorted(paid, ends)], axis=-1)
    sums = np.add.reduceat(amounts, bounds.ravel())[::2] if bounds.size else np.empty(0)
    return np.where(bounds[..., 0] < bounds[..., 1], sums.reshape(starts.shape), 0.0)


def _count_categories(cuts: Cuts, pairs: Pairs) -> IntArray:
    """Returns `[E, W]` categories touched in each window."""
    past = np.flatnonzero(pairs.count)
    example = pairs.example[past]
    age_s = cuts.ages_s(pairs.last_s[past], example)
    counts = [np.bincount(example[age_s <= days * DAY_SECONDS], minlength=len(cuts)) for days in WINDOW_DAYS]
    return np.stack(counts, axis=1)


def _measure_gaps(cuts: Cuts) -> dict[str, FloatArray]:
    """Measures the days between the steps before the cut.

    Sums run over whole seconds: int64 sums wrap, but differences of them are exact as long as one user's own sum of
    squares stays below 2**63 (histories up to 96 years).
    """
    shard = cuts.shard
    step_s = shard.time_s[shard.step_offsets[:-1]]
    gap_s = np.diff(step_s, prepend=step_s[:1])
    squares = np.cumsum(gap_s * gap_s)
    first, last = shard.step[cuts.start], shard.step[cuts.end - 1]
    count = (last - first).astype(np.float64)
    total = (step_s[last] - step_s[first]).astype(np.float64)
    square = (squares[last] - squares[first]).astype(np.float64)
    divisor = np.maximum(count, 1.0)
    variance = np.maximum(count * square - total * total, 0.0) / (divisor * divisor)
    return {
        GAP_MEAN: total / divisor / DAY_SECONDS,
        GAP_DEVIATION: np.sqrt(variance) / DAY_SECONDS,
        GAP_LAST: np.where(count > 0, gap_s[last], 0) / DAY_SECONDS,
    }
