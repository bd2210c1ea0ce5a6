"""Cuts of sequences as transformed examples, what the product's training reads."""

from typing import Any

import numpy as np
import numpy.typing as npt

from interest_migration.model.settings import VocabularySizes
from interest_migration.ragged import Examples, Ragged
from interest_migration.sequences.split import Cuts
from schemas.events import ACTIONS
from schemas.features import (
    ACTION_IDS,
    AGGREGATE_WIDTH,
    AGGREGATES,
    BRAND_IDS,
    CATEGORY_IDS,
    CHILD_IDS,
    CUT_TIME,
    ITEM_IDS,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    PARENT_IDS,
    STEP_INDEX,
    TRANSFORMED_FEATURES,
    UNKNOWN_LABEL,
    USER,
    FeatureSpec,
    Role,
    Shape,
    label_name,
)

ATTRIBUTE_COLUMNS = (PARENT_IDS, CATEGORY_IDS, CHILD_IDS, BRAND_IDS)
"""Where the attributes of an item go: the three most frequent ones, from broad to narrow, and its rarest one."""

Integers = npt.NDArray[np.int64]


def describe_items(attributes: Ragged | None, size: int) -> dict[str, Integers]:
    """Returns for each of `ATTRIBUTE_COLUMNS` `[V + 1]` ids by item id, 0 where there are too few attributes.

    Example:
      attributes [[2, 5, 6, 9], [3]] -> parents [0, 2, 3], categories [0, 5, 0], children [0, 6, 0], brands [0, 9, 0].
    """
    columns = {name: np.zeros(size + 1, np.int64) for name in ATTRIBUTE_COLUMNS}
    if attributes is None:
        return columns
    lengths, starts = attributes.lengths, attributes.offsets[:-1]
    for place, name in enumerate(ATTRIBUTE_COLUMNS):
        has = np.flatnonzero(lengths > place)
        last = name == BRAND_IDS
        columns[name][has + 1] = attributes.values[starts[has] + (lengths[has] - 1 if last else place)]
    return columns


def count_values(size: int, attributes: Ragged | None) -> VocabularySizes:
    """Returns the vocabulary sizes of a sequence file."""
    found = 1 if attributes is None else int(attributes.values.max())
    return VocabularySizes(
        items=size,
        categories=found,
        parents=found,
        children=found,
        brands=found,
        platforms=1,
        price_buckets=1,
        sessions=1,
    )


def to_examples(cuts: Cuts, described: dict[str, Integers]) -> Examples:
    """Returns transformed examples; what the file does not tell (times, prices, profile) is absent or zero."""
    history, count = cuts.history, len(cuts.user)
    newest = np.repeat(history.offsets[1:] - 1, history.lengths) - np.arange(len(history.values))
    one = np.arange(count + 1)
    known: dict[str, npt.NDArray[np.generic] | Ragged] = {
        USER: cuts.user.astype(np.bytes_),
        CUT_TIME: np.zeros(count, np.int64),
        ITEM_IDS: history,
        STEP_INDEX: Ragged(newest, history.offsets),
        ACTION_IDS: Ragged(np.full(len(newest), 1 + ACTIONS.index("view")), history.offsets),
        AGGREGATES: np.zeros([count, AGGREGATE_WIDTH], np.float32),
        label_name(NEXT_ITEMS): Ragged(cuts.label, one),
        label_name(NEXT_CATEGORIES): _known(described[CATEGORY_IDS][cuts.label]),
    }
    known |= {name: Ragged(ids[history.values], history.offsets) for name, ids in described.items()}
    return {spec.name: known.get(spec.name, _absent(spec, history, count)) for spec in TRANSFORMED_FEATURES}


def _known(ids: Integers) -> Ragged:
    return Ragged(ids[ids > 0], np.concatenate([[0], np.cumsum(ids > 0)]))


def _absent(spec: FeatureSpec, history: Ragged, count: int) -> npt.NDArray[np.generic] | Ragged:
    dtype: Any = {"string": np.bytes_, "int64": np.int64, "float32": np.float32}[spec.dtype]
    if spec.shape is Shape.SCALAR:
        return np.full(count, UNKNOWN_LABEL if spec.role is Role.LABEL else dtype(), dtype)
    if spec.shape is Shape.EVENTS:
        return Ragged(np.zeros(len(history.values), dtype), history.offsets)
    return Ragged(np.zeros(0, dtype), np.zeros(count + 1, np.int64))
