"""Transformed examples of users with several cuts each, whose later histories contain the earlier ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from transformed_records import SIZES, make_transformed, write_records

from schemas.features import (
    ACTION_IDS,
    CATEGORY_IDS,
    CUT_TIME,
    INTEREST_COUNT,
    INTEREST_DECAYED,
    INTEREST_IDS,
    INTEREST_RECENCY,
    ITEM_IDS,
    STEP_INDEX,
    TRANSFORMED_FEATURES,
    USER,
    Shape,
)

CUT_DAYS = (10, 20, 30)
_DAY = 86_400


def write_users(path: Path, users: int, seed: int, *, label_seed: int = 0) -> str:
    """Writes three examples of each user, cut on `CUT_DAYS`, and returns the path.

    Args:
      path: Where the file goes.
      users: Number of users.
      seed: Of everything that happened before a cut.
      label_seed: Of the labels, which have nothing to do with the histories.
    """
    rng, labels = np.random.default_rng(seed), np.random.default_rng([seed, label_seed])
    made = [example for user in range(users) for example in _user(f"user-{user}", rng, labels)]
    return write_records(path, made)


def _user(name: str, rng: np.random.Generator, labels: np.random.Generator) -> list[dict[str, list]]:
    favourite, rate = int(rng.integers(1, SIZES["categories"] + 1)), rng.choice([0.1, 0.5])
    days = [day for day in range(CUT_DAYS[-1]) if rng.random() < rate]
    bought = [favourite if rng.random() < 0.7 else int(rng.integers(1, SIZES["categories"] + 1)) for _ in days]
    return [_example(name, cut, days, bought, rng, labels) for cut in CUT_DAYS]


def _example(
    name: str, cut: int, days: list[int], bought: list[int], rng: np.random.Generator, labels: np.random.Generator
) -> dict[str, list]:
    past = [(day, category) for day, category in zip(days, bought, strict=True) if day < cut]
    example = make_transformed(labels, known=bool(labels.random() < 0.9), steps=3)
    for spec in TRANSFORMED_FEATURES:
        if spec.shape is Shape.EVENTS:
            example[spec.name] = [1] * len(past)
    example[STEP_INDEX] = list(range(len(past) - 1, -1, -1))
    example[CATEGORY_IDS] = [category for _, category in past]
    example[ITEM_IDS] = [category for _, category in past]
    example[ACTION_IDS] = [1] * len(past)
    ids = sorted({category for _, category in past})
    example[INTEREST_IDS] = ids
    example[INTEREST_COUNT] = [float(sum(c == value for _, c in past)) for value in ids]
    example[INTEREST_RECENCY] = [float(min(cut - day for day, c in past if c == value)) for value in ids]
    for feature in INTEREST_DECAYED:
        example[feature] = example[INTEREST_COUNT]
    example["aggregates"] = rng.normal(size=len(example["aggregates"])).tolist()
    return example | {USER: [name.encode()], CUT_TIME: [cut * _DAY]}
