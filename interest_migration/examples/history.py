"""The history of an example: its newest events before the cut, old to new, whole steps only."""

import numpy as np
import pyarrow as pa

from interest_migration.examples.cuts import Cuts
from interest_migration.examples.lists import Columns, floats, list_column
from interest_migration.examples.ranges import expand_ranges
from interest_migration.examples.steps import fit_whole_steps
from schemas.events import ACTIONS
from schemas.features import (
    EVENT_ACTION,
    EVENT_AGE,
    EVENT_BRAND,
    EVENT_CATEGORY,
    EVENT_CHILD,
    EVENT_ITEM,
    EVENT_PARENT,
    EVENT_PLATFORM,
    EVENT_PRICE,
    EVENT_SESSION,
    EVENT_TEXT,
)

ACTION_NAMES = pa.array([action.encode() for action in ACTIONS], pa.large_binary())


def list_history(cuts: Cuts, limit: int) -> Columns:
    """Makes the `event_*` features, at most `limit` events for each example.

    Within a step the order is the shard's sort order (by name): fixed, and without meaning.
    """
    shard = cuts.shard
    first = fit_whole_steps(cuts.start, cuts.end, shard.step, shard.step_offsets, limit)
    lengths = cuts.end - first
    event, example = expand_ranges(first, lengths), np.repeat(np.arange(len(cuts)), lengths)
    newest_session = shard.session[cuts.end - 1]
    values = {
        EVENT_ITEM: shard.item.decode(event),
        EVENT_CATEGORY: shard.category.decode(event),
        EVENT_PARENT: shard.parent.decode(event),
        EVENT_CHILD: shard.child.decode(event),
        EVENT_BRAND: shard.brand.decode(event),
        EVENT_ACTION: ACTION_NAMES.take(pa.array(shard.action[event])),
        EVENT_PLATFORM: shard.platform.decode(event),
        EVENT_TEXT: shard.text.decode(event),
        EVENT_PRICE: floats(shard.price[event]),
        EVENT_AGE: pa.array(cuts.ages_s(shard.time_s[event], example)),
        EVENT_SESSION: pa.array(newest_session[example] - shard.session[event]),
    }
    return {name: list_column(column, lengths) for name, column in values.items()}
