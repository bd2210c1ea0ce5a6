"""Features made in the graph are those that the example builder makes of the same events."""

import numpy as np
import tensorflow as tf
from event_columns import sort_key, to_columns
from event_tables import DAY_S, Event, event, to_batch, to_examples
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from random_logs import LOG_DAYS, LOGS, SETTINGS

from interest_migration.examples.build import build_features
from interest_migration.examples.settings import ExampleSettings
from interest_migration.model.column_events import read_events
from interest_migration.model.column_features import make_features
from schemas.features import (
    EVENT_PRICE,
    EVENT_TEXT,
    INTEREST_CATEGORY,
    RAW_FEATURES,
    Role,
    Shape,
)

WIDE = {"max_interests": 128, "bot_limits": ()}
INPUTS = {spec.name: spec for spec in RAW_FEATURES if spec.role is Role.INPUT}


def by_user(events: list[Event]) -> dict[str, list[Event]]:
    """Distinct events of every user in the shard's order."""
    found: dict[str, dict[tuple[object, ...], Event]] = {}
    for row in events:
        found.setdefault(row["user"], {})[sort_key(row)] = row
    return {user: [rows[key] for key in sorted(rows)] for user, rows in sorted(found.items())}


def features_of(columns, settings):
    """Feature -> list of values of each user, and the places of the events."""
    batch, places = make_features(read_events({k: tf.constant(v) for k, v in columns.items()}), settings)
    found = []
    for row in range(len(columns["cut_time_s"])):
        kept, rows = batch.kept[row], batch.rows[row]
        parts = {name: tf.boolean_mask(value[row], kept) for name, value in batch.events.items()}
        parts |= {name: tf.boolean_mask(value[row], rows) for name, value in batch.interests.items()}
        parts |= {name: value[row] for name, value in batch.numbers.items()}
        found.append({name: decode(value.numpy().tolist()) for name, value in parts.items()})
    return found, places.numpy()


def decode(values):
    return [value.decode() if isinstance(value, bytes) else value for value in values]


def by_category(features):
    """The interests in the order of their names: equally strong ones have no agreed order."""
    order = np.argsort(features[INTEREST_CATEGORY], kind="stable")
    lists = {name for name, spec in INPUTS.items() if spec.shape is Shape.INTERESTS}
    return {name: [value[i] for i in order] if name in lists else value for name, value in features.items()}


def check_equal(got, expected):
    got, expected = by_category(got), by_category(expected)
    for name, spec in INPUTS.items():
        if spec.dtype == "float32":
            np.testing.assert_allclose(got[name], expected[name], rtol=1e-6, atol=1e-6, err_msg=name)
        else:
            assert got[name] == expected[name], name


@hypothesis_settings(max_examples=25, deadline=None)
@given(LOGS, st.integers(1, LOG_DAYS), SETTINGS, st.integers(0, 3))
def test_features_are_those_of_the_example_builder(
    events: list[Event], day: int, settings: ExampleSettings, spare: int
) -> None:
    settings = settings.model_copy(update=WIDE)
    users = by_user(events)
    cut_s = day * DAY_S
    built = {row["user"][0]: row for row in to_examples(build_features(to_batch(events), cut_s, settings))}
    if not users:
        return
    slots = max(len(rows) for rows in users.values()) + spare
    found, _ = features_of(to_columns(list(users.values()), [cut_s] * len(users), slots), settings)
    for user, features in zip(users, found, strict=True):
        if user in built:
            check_equal(features, built[user])
        else:
            assert not any(any(values) for values in features.values())


def test_texts_of_searches_are_tidied_and_those_of_items_left_out() -> None:
    settings = ExampleSettings(text_characters=5, churn_actions=())
    rows = [
        event(10, "home", action="search", text=" Red \n  shoes "),
        event(20, "home", action="view", text="about an item"),
        event(30, "home", action="review", text="größer", price=float("nan")),
    ]
    (found,), places = features_of(to_columns([rows[::-1]], [40]), settings)
    assert found[EVENT_TEXT] == ["Red s", "", "größe"]
    assert found[EVENT_PRICE][-1] == -1.0
    assert places.tolist() == [[2, 1, 0]]
    (built,) = to_examples(build_features(to_batch(rows), 40, settings))
    check_equal(found, built)


def test_the_strongest_interests_stay() -> None:
    rows = [event(DAY_S * day, name) for day, name in ((1, "a"), (8, "b"), (9, "b"), (3, "c"), (9, "c"))]
    settings = ExampleSettings(max_interests=2)
    (found,), _ = features_of(to_columns([rows], [10 * DAY_S]), settings)
    (built,) = to_examples(build_features(to_batch(rows), 10 * DAY_S, settings))
    assert found[INTEREST_CATEGORY] == built[INTEREST_CATEGORY] == ["b", "c"]
    check_equal(found, built)
