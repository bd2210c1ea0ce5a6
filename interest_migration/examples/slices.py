"""The groups in which results are reported; no model reads them."""

from typing import Final

import numpy as np
import pyarrow as pa

from interest_migration.examples.aggregates import count_steps, tenure_days
from interest_migration.examples.cuts import Cuts
from interest_migration.examples.history import ACTION_NAMES
from interest_migration.examples.lists import EXAMPLE_SCHEMA, Columns, list_column, scalar_column
from interest_migration.examples.log import DAY_SECONDS
from interest_migration.examples.ranges import run_starts
from interest_migration.examples.touches import Pairs
from schemas.features import (
    SLICE_ACTION,
    SLICE_ACTIVITY,
    SLICE_CATEGORY,
    SLICE_PLATFORM,
    SLICE_TENURE,
    USER_ATTRIBUTES,
)

ACTIVITY_WINDOW_DAYS: Final = 28
_ACTIVITY_BOUNDS: Final = (1, 3, 6, 11)
_ACTIVITY_NAMES: Final = pa.array([b"0", b"1-2", b"3-5", b"6-10", b"11+"], pa.large_binary())
_TENURE_BOUNDS: Final = (28, 84, 182)
_TENURE_NAMES: Final = pa.array([b"<28", b"28-83", b"84-181", b"182+"], pa.large_binary())


def assign_slices(cuts: Cuts, pairs: Pairs, attributes: pa.ListArray | None) -> Columns:
    """Makes the `slice_*` features and `user_attributes`.

    Events of the newest step have no order: its action is the one latest in ACTIONS, its platform the last by name.
    """
    shard, last = cuts.shard, cuts.end - 1
    opening = shard.timeline.first_from(cuts.user, cuts.time_s - ACTIVITY_WINDOW_DAYS * DAY_SECONDS)
    steps = count_steps(shard, opening, cuts.end)
    tops = shard.step_offsets[:-1]
    newest = shard.step[last]
    action = np.maximum.reduceat(shard.action, tops)[newest] if len(tops) else newest
    platform = np.maximum.reduceat(shard.platform.codes, tops)[newest] if len(tops) else newest
    values = {
        SLICE_ACTIVITY: _ACTIVITY_NAMES.take(pa.array(np.digitize(steps, _ACTIVITY_BOUNDS))),
        SLICE_TENURE: _TENURE_NAMES.take(pa.array(np.digitize(tenure_days(cuts), _TENURE_BOUNDS))),
        SLICE_CATEGORY: _strongest_category(cuts, pairs),
        SLICE_ACTION: ACTION_NAMES.take(pa.array(action)),
        SLICE_PLATFORM: shard.platform.values.take(pa.array(platform)),
    }
    columns = {name: scalar_column(column) for name, column in values.items()}
    return {**columns, USER_ATTRIBUTES: _list_attributes(cuts, attributes)}


def _strongest_category(cuts: Cuts, pairs: Pairs) -> pa.LargeBinaryArray:
    ranked = pairs.by_strength
    firsts = ranked[run_starts(pairs.example[ranked])]
    category = np.zeros(len(cuts), np.int64)  # 0 is "none"
    category[pairs.example[firsts]] = pairs.category[firsts]
    return pairs.names.take(pa.array(category))


def _list_attributes(cuts: Cuts, attributes: pa.ListArray | None) -> pa.LargeListArray:
    kind = EXAMPLE_SCHEMA.field(USER_ATTRIBUTES).type
    if attributes is None:
        zeros = np.zeros(len(cuts), np.int64)
        return list_column(pa.array([], kind.value_type), zeros, zeros > 0)
    return attributes.take(pa.array(cuts.user)).cast(pa.large_list(pa.large_string())).cast(kind)
