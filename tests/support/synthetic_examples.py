"""Random but learnable raw examples, for tests of everything behind ingestion.

Users move around a ring of categories: the next step's category is the successor of the current one three times out of
four. Users whose newest event is old churn more often. Nothing here needs ingestion or a log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from schemas.features import (
    AGGREGATE_INPUTS,
    CHURN,
    CUT_TIME,
    DECAY_HALF_LIFE_DAYS,
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
    FUTURE_CATEGORIES,
    HORIZON_OBSERVED,
    HORIZONS,
    INTEREST_CATEGORY,
    INTEREST_COUNT,
    INTEREST_DECAYED,
    INTEREST_RECENCY,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    RAW_FEATURES,
    RECENCY,
    SLICE_ACTION,
    SLICE_ACTIVITY,
    SLICE_CATEGORY,
    SLICE_PLATFORM,
    SLICE_TENURE,
    SWITCHED,
    USER,
    USER_ATTRIBUTES,
    WINDOW_DAYS,
    FeatureSpec,
    Shape,
)

DAY_SECONDS = 86_400
NEW_INTEREST_DAYS = 56.0
Example = dict[str, list]


def make_example(rng: np.random.Generator, *, categories: int = 12, steps: int = 8, known: bool = True) -> Example:
    """Returns one raw example, feature name -> list of values; labels are absent if not `known`.

    Args:
      rng: Source of randomness.
      categories: Number of categories on the ring.
      steps: Most steps of a history; zero steps is possible.
      known: Whether the example has labels.
    """
    count = int(rng.integers(0, steps + 1))
    recency = float(rng.uniform(0.5, 30))
    walk = _walk(rng, count + 1, categories)
    ages = np.sort(rng.choice(np.arange(1, 100), size=count, replace=False) + recency)[::-1] * DAY_SECONDS
    example = _events(rng, walk[:count], ages.astype(np.int64))
    profile = _profile(example)
    example |= profile | _aggregates(count, ages, rng) | _slices(example, profile, count)
    example |= {USER: [f"user-{rng.integers(1 << 40):x}"], CUT_TIME: [1_500_000_000]}
    return example | _labels(rng, example, walk[count:], recency, categories, known)


def _walk(rng: np.random.Generator, length: int, categories: int) -> list[int]:
    walk = [int(rng.integers(categories))]
    while len(walk) < length:
        walk.append((walk[-1] + 1) % categories if rng.random() < 0.75 else int(rng.integers(categories)))
    return walk


def _events(rng: np.random.Generator, walk: Sequence[int], ages: np.ndarray) -> Example:
    steps = [step for step in range(len(walk)) for _ in range(int(rng.integers(1, 4)))]
    category = [walk[step] for step in steps]
    item = [f"item-{value}-{rng.integers(3)}" for value in category]
    priced = rng.random(len(steps)) < 0.8
    return {
        EVENT_ITEM: item,
        EVENT_CATEGORY: [f"category-{value}" for value in category],
        EVENT_PARENT: [f"parent-{value % 3}" for value in category],
        EVENT_CHILD: ["" for _ in category],
        EVENT_BRAND: [f"brand-{value % 5}" for value in category],
        EVENT_ACTION: ["purchase" if rng.random() < 0.7 else "view" for _ in category],
        EVENT_PLATFORM: ["web" for _ in category],
        EVENT_TEXT: [f"about {value}" if value % 4 == 0 else "" for value in category],
        EVENT_PRICE: [float(np.float32(rng.lognormal())) if has else -1.0 for has in priced],
        EVENT_AGE: [int(ages[step]) for step in steps],
        EVENT_SESSION: [len(walk) - 1 - step for step in steps],
    }


def _profile(example: Example) -> Example:
    ages: dict[str, list[float]] = {}
    for name, age in zip(example[EVENT_CATEGORY], example[EVENT_AGE], strict=True):
        ages.setdefault(name, []).append(age / DAY_SECONDS)
    ordered = sorted(ages, key=lambda name: -len(ages[name]))
    profile: Example = {
        INTEREST_CATEGORY: ordered,
        INTEREST_COUNT: [float(len(ages[name])) for name in ordered],
        INTEREST_RECENCY: [min(ages[name]) for name in ordered],
    }
    for feature, days in zip(INTEREST_DECAYED, DECAY_HALF_LIFE_DAYS, strict=True):
        profile[feature] = [float(sum(0.5 ** (age / days) for age in ages[name])) for name in ordered]
    return profile


def _aggregates(count: int, ages: np.ndarray, rng: np.random.Generator) -> Example:
    widths = {spec.name: len(WINDOW_DAYS) if spec.shape is Shape.WINDOWS else 1 for spec in RAW_FEATURES}
    values = {name: [float(count * rng.uniform(0.8, 1.2))] * widths[name] for name in AGGREGATE_INPUTS}
    return values | {RECENCY: [float(ages[-1]) / DAY_SECONDS if count else 0.0]}


def _slices(example: Example, profile: Example, count: int) -> Example:
    return {
        SLICE_ACTIVITY: ["1-2" if count < 3 else "3-5"],
        SLICE_TENURE: ["<28"],
        SLICE_CATEGORY: profile[INTEREST_CATEGORY][:1] or [""],
        SLICE_ACTION: example[EVENT_ACTION][-1:] or [""],
        SLICE_PLATFORM: example[EVENT_PLATFORM][-1:] or [""],
        USER_ATTRIBUTES: ["age=35-44"],
    }


def _labels(
    rng: np.random.Generator, example: Example, future: Sequence[int], recency: float, categories: int, known: bool
) -> Example:
    if not known:
        return {HORIZON_OBSERVED[horizon]: [0] for horizon in HORIZONS}
    names = [f"category-{future[0]}"]
    newest = {
        name
        for name, age in zip(example[EVENT_CATEGORY], example[EVENT_AGE], strict=True)
        if age == example[EVENT_AGE][-1]
    }
    recent = {
        name
        for name, days in zip(example[INTEREST_CATEGORY], example[INTEREST_RECENCY], strict=True)
        if days <= NEW_INTEREST_DAYS
    }
    labels: Example = {
        NEXT_CATEGORIES: names,
        NEXT_ITEMS: [f"item-{future[0]}-{rng.integers(3)}"],
        SWITCHED: [int(not newest & set(names))],
    }
    churned = rng.random() < recency / 40
    for extra, horizon in enumerate(HORIZONS):
        ahead = {f"category-{(future[0] + step) % categories}" for step in range(1 + extra)}
        bought = sorted(set() if churned else ahead)
        labels |= {
            HORIZON_OBSERVED[horizon]: [1],
            CHURN[horizon]: [int(churned)],
            FUTURE_CATEGORIES[horizon]: bought,
            NEW_CATEGORIES[horizon]: [name for name in bought if name not in recent],
        }
    return labels


def encode_example(example: Mapping[str, Sequence]) -> bytes:
    """Returns the serialized `tf.Example` of one raw example."""
    import tensorflow as tf

    kinds = {spec.name: spec.dtype for spec in RAW_FEATURES}
    message = tf.train.Example()
    for name, values in example.items():
        feature = message.features.feature[name]
        if kinds[name] == "string":
            feature.bytes_list.value.extend(value.encode() for value in values)
        elif kinds[name] == "int64":
            feature.int64_list.value.extend(values)
        else:
            feature.float_list.value.extend(values)
    return message.SerializeToString()


def write_examples(
    directory: Path, count: int, seed: int, *, categories: int = 12, steps: int = 8, known_share: float = 0.9
) -> dict[str, list[str]]:
    """Writes `Split-train`, `Split-eval` and `Split-test` of gzip TFRecords, as ingestion does.

    Args:
      directory: Where the split folders go.
      count: Examples of the train split; eval and test get a quarter each.
      seed: The same seed writes the same examples.
      categories: Number of categories.
      steps: Most steps of a history.
      known_share: Share of examples that have labels.

    Returns:
      Split name -> paths written.
    """
    rng = np.random.default_rng(seed)
    paths = {}
    for split, size in (("train", count), ("eval", max(1, count // 4)), ("test", max(1, count // 4))):
        made = [
            make_example(rng, categories=categories, steps=steps, known=rng.random() < known_share) for _ in range(size)
        ]
        paths[split] = [write_records(directory / f"Split-{split}" / "data-00000-of-00001.gz", made)]
    return paths


def write_records(path: Path, examples: Sequence[Example]) -> str:
    """Writes raw examples to one gzip TFRecord file and returns its path."""
    import tensorflow as tf

    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), options="GZIP") as writer:
        for example in examples:
            writer.write(encode_example(example))
    return str(path)


def raw_schema():  # type: ignore[no-untyped-def]
    """Returns a TFMD schema of `RAW_FEATURES` in which lists of varying length are ragged."""
    from tensorflow_metadata.proto.v0 import schema_pb2

    schema = schema_pb2.Schema(represent_variable_length_as_ragged=True)
    for spec in RAW_FEATURES:
        _add_feature(schema, spec)
    return schema


def _add_feature(schema, spec: FeatureSpec) -> None:  # type: ignore[no-untyped-def]
    from tensorflow_metadata.proto.v0 import schema_pb2

    kinds = {"string": schema_pb2.BYTES, "int64": schema_pb2.INT, "float32": schema_pb2.FLOAT}
    feature = schema.feature.add(name=spec.name, type=kinds[spec.dtype])
    fixed = {Shape.SCALAR: 1, Shape.WINDOWS: len(WINDOW_DAYS)}.get(spec.shape)
    if fixed is None or spec.optional:
        return
    feature.presence.min_fraction = 1.0
    feature.presence.min_count = 1
    feature.shape.dim.add(size=fixed)
