"""Random transformed examples, written without running the transform."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from schemas.features import (
    AGE_BUCKETS,
    AGGREGATE_WIDTH,
    AGGREGATES,
    CATEGORY_IDS,
    CHURN,
    CUT_TIME,
    FUTURE_CATEGORIES,
    HORIZON_OBSERVED,
    HORIZONS,
    INTEREST_COUNT,
    INTEREST_DECAYED,
    INTEREST_IDS,
    INTEREST_RECENCY,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    STEP_INDEX,
    SWITCHED,
    TRANSFORMED_FEATURES,
    UNKNOWN_LABEL,
    Role,
    Shape,
    label_name,
)

SIZES = {
    "categories": 6,
    "items": 10,
    "parents": 2,
    "children": 2,
    "brands": 2,
    "platforms": 2,
    "price_buckets": 4,
    "sessions": 4,
}
"""Vocabulary sizes of these examples."""

SMALL_MODEL: dict[str, Any] = {
    "width": 8,
    "layers": 1,
    "heads": 2,
    "feedforward_width": 8,
    "profile_width": 4,
    "aggregate_width": 4,
    "max_steps": 4,
    "loss_steps": 3,
}
"""Settings of a model that is quick to build."""

SETS = (NEXT_CATEGORIES, NEXT_ITEMS, *FUTURE_CATEGORIES.values(), *NEW_CATEGORIES.values())
"""Raw names of the labels that are sets."""

Example = dict[str, list]


def make_transformed(rng: np.random.Generator, *, known: bool = True, steps: int | None = None) -> Example:
    """Returns one transformed example. Users whose second aggregate is positive churn; the next category is the newest.

    Args:
      rng: Source of randomness.
      known: Whether labels are known.
      steps: Number of steps of the history, random by default.
    """
    count = int(rng.integers(0, 5)) if steps is None else steps
    index = [step for step in range(count - 1, -1, -1) for _ in range(int(rng.integers(1, 3)))]
    events = len(index)
    example: Example = {spec.name: [] for spec in TRANSFORMED_FEATURES if spec.role in (Role.INPUT, Role.LABEL)}
    for spec in TRANSFORMED_FEATURES:
        if spec.shape is Shape.EVENTS:
            example[spec.name] = rng.integers(1, 3, events).tolist()
    example[CATEGORY_IDS] = rng.integers(0, SIZES["categories"] + 2, events).tolist()
    example[AGE_BUCKETS] = [10 + 2 * step for step in index]
    example[STEP_INDEX] = index
    example |= _profile(sorted({value for value in example[CATEGORY_IDS] if value}))
    example[CUT_TIME] = [int(rng.integers(1, 100)) * 86_400]
    example[AGGREGATES] = rng.normal(size=AGGREGATE_WIDTH).tolist()
    return example | _labels(example, known)


def _profile(ids: list[int]) -> Example:
    profile: Example = {INTEREST_IDS: ids, INTEREST_COUNT: [2.0] * len(ids)}
    profile[INTEREST_RECENCY] = [20.0 * position for position in range(len(ids))]
    return profile | {name: [0.5] * len(ids) for name in INTEREST_DECAYED}


def _labels(example: Example, known: bool) -> Example:
    newest = example[CATEGORY_IDS][-1:] or [1]
    values: Example = {NEXT_CATEGORIES: newest, NEXT_ITEMS: [1], SWITCHED: [0]}
    for horizon in HORIZONS:
        values |= {
            HORIZON_OBSERVED[horizon]: [1],
            CHURN[horizon]: [int(example[AGGREGATES][1] > 0)],
            FUTURE_CATEGORIES[horizon]: newest,
            NEW_CATEGORIES[horizon]: [],
        }
    chosen = values if known else {name: [] if name in SETS else [UNKNOWN_LABEL] for name in values}
    return {label_name(name): value for name, value in chosen.items()}


def make_batch(examples: Sequence[Example]) -> dict[str, Any]:
    """Returns the padded batch that the model reads."""
    import tensorflow as tf

    from interest_migration.model.inputs import TRAINING_SPECS, pad, parsers

    serialized = [encode(example) for example in examples]
    return pad(tf.io.parse_example(serialized, parsers(TRAINING_SPECS)), TRAINING_SPECS)


def encode(example: Example) -> bytes:
    """Returns the serialized `tf.Example`."""
    import tensorflow as tf

    kinds = {spec.name: spec.dtype for spec in TRANSFORMED_FEATURES}
    message = tf.train.Example()
    for name, values in example.items():
        feature = message.features.feature[name]
        lists = {"float32": feature.float_list, "int64": feature.int64_list, "string": feature.bytes_list}
        lists[kinds[name]].value.extend(values)
    return message.SerializeToString()


def write_transformed(path: Path, count: int, seed: int, *, known_share: float = 1.0) -> str:
    """Writes one gzip TFRecord file of random examples and returns its path."""
    rng = np.random.default_rng(seed)
    return write_records(path, [make_transformed(rng, known=rng.random() < known_share) for _ in range(count)])


def write_records(path: Path, examples: Sequence[Example]) -> str:
    """Writes one gzip TFRecord file and returns its path."""
    import tensorflow as tf

    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), options="GZIP") as writer:
        for example in examples:
            writer.write(encode(example))
    return str(path)
