"""The interest profile: every category touched before the cut, strongest first."""

import numpy as np
import pyarrow as pa

from interest_migration.examples.cuts import Cuts
from interest_migration.examples.lists import Columns, floats, list_column
from interest_migration.examples.log import DAY_SECONDS
from interest_migration.examples.ranges import offsets_of
from interest_migration.examples.touches import Pairs
from schemas.features import (
    INTEREST_CATEGORY,
    INTEREST_COUNT,
    INTEREST_DECAYED,
    INTEREST_RECENCY,
)


def list_interests(cuts: Cuts, pairs: Pairs, limit: int) -> Columns:
    """Makes the `interest_*` features, at most `limit` categories for each example."""
    ranked = pairs.by_strength
    offsets = offsets_of(pairs.example[ranked], len(cuts))
    rank = np.arange(len(ranked)) - np.repeat(offsets[:-1], np.diff(offsets))
    kept = ranked[rank < limit]
    lengths = np.minimum(np.diff(offsets), limit)
    recency_days = cuts.ages_s(pairs.last_s[kept], pairs.example[kept]) / DAY_SECONDS
    return {
        INTEREST_CATEGORY: list_column(pairs.names.take(pa.array(pairs.category[kept])), lengths),
        INTEREST_COUNT: list_column(floats(pairs.count[kept]), lengths),
        INTEREST_RECENCY: list_column(floats(recency_days), lengths),
        **{
            name: list_column(floats(decayed[kept]), lengths)
            for name, decayed in zip(INTEREST_DECAYED, pairs.decayed, strict=True)
        },
    }
