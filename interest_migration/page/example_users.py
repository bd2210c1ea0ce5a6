"""Users to begin with: a few from the examples that a run left, by pseudonym, with the events the model saw of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from interest_migration.serving.example_records import read_records
from schemas.features import (
    CUT_TIME,
    EVENT_ACTION,
    EVENT_AGE,
    EVENT_BRAND,
    EVENT_CATEGORY,
    EVENT_CHILD,
    EVENT_ITEM,
    EVENT_PLATFORM,
    EVENT_PRICE,
    USER,
)

LOOKED_AT: Final = 2000
"""Examples read, from which users are taken."""
MOST_EVENTS: Final = 120
"""Newest events shown of a user."""
_LEAST_EVENTS = 3
_FIELDS = ("time_s", "action", "item", "category_path", "brand", "platform", "price")


@dataclass(frozen=True)
class ExampleUsers:
    """Users with their events, and what their events tell of items.

    Attributes:
      users: Dictionaries with `user`, `cut_time_s` and `events`, from few events to many. An event has the fields of
        `schemas.events` that the page sends.
      item_paths: Item -> category path.
    """

    users: tuple[dict[str, Any], ...] = ()
    item_paths: dict[str, str] | None = None


def read_example_users(examples: Path, count: int = 24) -> ExampleUsers:
    """Reads users from gzip TFRecord files of raw examples.

    Args:
      examples: One file, or a folder of them, such as `Split-test` of a run's examples.
      count: Most users to return.

    Raises:
      DataError: If there is no such file.
    """
    newest: dict[str, dict[str, Any]] = {}
    item_paths: dict[str, str] = {}
    for found in _read(examples):
        item_paths.update((event["item"], event["category_path"]) for event in found["events"] if event["item"])
        if len(found["events"]) >= _LEAST_EVENTS:
            before = newest.get(found["user"])
            newest[found["user"]] = max(before or found, found, key=lambda one: one["cut_time_s"])
    users = sorted(newest.values(), key=lambda one: (len(one["events"]), one["user"]))
    stride = max(len(users) / count, 1)
    chosen = [users[int(place * stride)] for place in range(min(count, len(users)))]
    return ExampleUsers(tuple(chosen), item_paths)


def _read(examples: Path) -> Iterator[dict[str, Any]]:
    import tensorflow as tf

    for record in islice(read_records(examples), LOOKED_AT):
        yield _to_user(tf.train.Example.FromString(record).features.feature)


def _to_user(feature: Any) -> dict[str, Any]:
    cut = feature[CUT_TIME].int64_list.value[0]
    categories, children = _texts(feature, EVENT_CATEGORY), _texts(feature, EVENT_CHILD)
    paths = [child or category for category, child in zip(categories, children, strict=True)]
    columns = (
        [cut - age for age in feature[EVENT_AGE].int64_list.value],
        _texts(feature, EVENT_ACTION),
        _texts(feature, EVENT_ITEM),
        paths,
        _texts(feature, EVENT_BRAND),
        _texts(feature, EVENT_PLATFORM),
        [round(price, 4) for price in feature[EVENT_PRICE].float_list.value],
    )
    events = [dict(zip(_FIELDS, values, strict=True)) for values in zip(*columns, strict=True)]
    return {"user": _texts(feature, USER)[0], "cut_time_s": cut, "events": events[-MOST_EVENTS:]}


def _texts(feature: Any, name: str) -> list[str]:
    return [value.decode("utf-8", "replace") for value in feature[name].bytes_list.value]
