"""Paths on a model written by hand: what the next category is depends on the newest one alone."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from interest_migration.model.next_step import Typical, after_step
from interest_migration.model.paths import likely_paths, typical_items
from interest_migration.model.raw_batch import RawBatch
from schemas.features import (
    EVENT_ACTION,
    EVENT_AGE,
    EVENT_CATEGORY,
    EVENT_SESSION,
    GAP_LAST,
    GAP_MEAN,
    INTEREST_CATEGORY,
    INTEREST_COUNT,
    INTEREST_DECAYED,
    INTEREST_RECENCY,
    LIFETIME_STEPS,
    RAW_FEATURES,
    RECENCY,
    TENURE,
    VISIT_RECENCY,
    Role,
    Shape,
)
from schemas.signatures import (
    FORECAST_CATEGORY,
    FORECAST_PROBABILITY,
    MOVES,
    PATH_BEAM,
    PATH_CATEGORY,
    PATH_PROBABILITY,
    PATH_STEP_PROBABILITY,
    STEPS,
)

NAMES = np.array(["", "a", "b", "c", "d"])
CHAIN = np.array(
    [[0.4, 0.3, 0.2, 0.1], [0.6, 0.2, 0.15, 0.05], [0.1, 0.5, 0.2, 0.2], [0.05, 0.25, 0.3, 0.4], [0.3, 0.1, 0.35, 0.25]]
)
"""Row i: what follows id i, 0 being no history."""
DAY_S = 86_400
DTYPES = {"string": tf.string, "int64": tf.int64, "float32": tf.float32}


def make_batch(categories, ages_days):
    """One example; other values are 0 or empty, the profile lists every category once."""
    size = {Shape.EVENTS: len(categories), Shape.INTERESTS: len(set(categories)), Shape.SCALAR: 1, Shape.WINDOWS: 8}
    inputs = [spec for spec in RAW_FEATURES if spec.role is Role.INPUT]
    made = {spec.name: tf.zeros([1, size[spec.shape]], DTYPES[spec.dtype]) for spec in inputs}
    made[EVENT_CATEGORY] = tf.constant([categories], tf.string, [1, len(categories)])
    made[EVENT_AGE] = tf.constant([[int(days * DAY_S) for days in ages_days]], tf.int64, [1, len(categories)])
    made[INTEREST_CATEGORY] = tf.constant([sorted(set(categories))], tf.string, [1, len(set(categories))])
    parts = {shape: {s.name: made[s.name] for s in inputs if s.shape is shape} for shape in size}
    kept, rows = (tf.ones([1, size[shape]], tf.bool) for shape in (Shape.EVENTS, Shape.INTERESTS))
    return RawBatch(parts[Shape.EVENTS], kept, parts[Shape.INTERESTS], rows, parts[Shape.SCALAR] | parts[Shape.WINDOWS])


def names(ids):
    return tf.gather(tf.constant(NAMES), ids)


def typical(ids):
    return Typical(names(ids), *([tf.fill(tf.shape(ids), "")] * 4))


def score(batch):
    padded = tf.pad(batch.events[EVENT_CATEGORY], [[0, 0], [1, 0]])
    newest = tf.argmax(tf.cast(padded[:, -1:] == tf.constant(NAMES), tf.int32), axis=1, output_type=tf.int32)
    return tf.math.log(tf.gather(tf.constant(CHAIN, tf.float32), newest)), newest


def find(categories, ages):
    found = likely_paths(make_batch(categories, ages), score, typical, names)
    return {name: value.numpy()[0] for name, value in found.items()}


def all_paths(first, allowed):
    for path in itertools.product(range(1, 5), repeat=3):
        if allowed(path):
            yield path, np.prod([CHAIN[a, b - 1] for a, b in itertools.pairwise([first, *path])])


def test_paths_of_steps_are_the_likeliest():
    found = find(["a", "b"], [9, 2])
    expected = sorted(all_paths(2, lambda _: True), key=lambda each: -each[1])[:4]
    assert [tuple(row) for row in found[PATH_CATEGORY[STEPS]][:4].astype(str)] == [
        tuple(NAMES[list(path)]) for path, _ in expected
    ]
    np.testing.assert_allclose(found[PATH_PROBABILITY[STEPS]][:4], [chance for _, chance in expected], rtol=1e-5)
    np.testing.assert_allclose(
        found[PATH_STEP_PROBABILITY[STEPS]].prod(axis=1), found[PATH_PROBABILITY[STEPS]], rtol=1e-5
    )


def test_moves_leave_every_category_of_the_path():
    found = find(["a", "b"], [9, 2])
    paths = [tuple(row) for row in found[PATH_CATEGORY[MOVES]].astype(str)]
    possible = sorted(itertools.permutations("acd"))
    assert sorted(paths[:6]) == possible
    assert paths[6:] == [("", "", "")] * (PATH_BEAM - 6)
    np.testing.assert_allclose(found[PATH_PROBABILITY[MOVES]].sum(), 1, rtol=1e-5)
    first = found[PATH_STEP_PROBABILITY[MOVES]][paths.index(("a", "c", "d"))]
    np.testing.assert_allclose(first, [0.1 / 0.5, 0.15 / 0.2, 1], rtol=1e-5)


def test_the_forecast_is_the_power_of_a_chain_that_the_beam_can_hold():
    found = find(["a", "b"], [9, 2])
    chance = CHAIN[2]
    for step in range(2):
        order = np.argsort(-chance, kind="stable")
        assert found[FORECAST_CATEGORY][step, :4].astype(str).tolist() == NAMES[1:][order].tolist()
        np.testing.assert_allclose(found[FORECAST_PROBABILITY][step, :4], chance[order], rtol=1e-5)
        chance = chance @ CHAIN[1:]


def test_no_history_has_paths():
    found = find([], [])
    assert found[FORECAST_CATEGORY][0, 0] == b"a"
    assert (found[PATH_PROBABILITY[STEPS]] > 0).all()


def test_the_step_that_is_appended():
    batch = make_batch(["tea", "tea"], [9, 2])
    batch.numbers.update({GAP_MEAN: tf.constant([[7.0]]), TENURE: tf.constant([[9.0]]), RECENCY: tf.constant([[2.0]])})
    batch.numbers[VISIT_RECENCY] = tf.constant([[2.0]])
    batch.interests.update({INTEREST_COUNT: tf.constant([[2.0]]), INTEREST_DECAYED[0]: tf.constant([[1.0]])})
    batch.events[EVENT_ACTION] = tf.constant([["view", "cart"]])
    empty = [tf.constant([""])] * 4
    milk = after_step(batch, Typical(tf.constant(["milk"]), *empty))
    assert milk.events[EVENT_CATEGORY].numpy()[0].tolist() == [b"tea", b"tea", b"milk"]
    assert (milk.events[EVENT_AGE].numpy()[0] / DAY_S).tolist() == [16, 9, 2]
    assert milk.events[EVENT_ACTION].numpy()[0].tolist() == [b"view", b"cart", b"cart"]
    assert milk.events[EVENT_SESSION].numpy()[0].tolist() == [1, 1, 0]
    assert milk.interests[INTEREST_CATEGORY].numpy()[0].tolist() == [b"tea", b"milk"]
    assert milk.interests[INTEREST_COUNT].numpy()[0].tolist() == [2, 1]
    assert milk.interests[INTEREST_RECENCY].numpy()[0].tolist() == [7, 2]
    np.testing.assert_allclose(milk.interests[INTEREST_DECAYED[0]].numpy()[0], [0.5, 0.5 ** (2 / 7)], rtol=1e-6)
    numbers = [float(milk.numbers[name][0, 0]) for name in (RECENCY, TENURE, GAP_LAST, LIFETIME_STEPS, VISIT_RECENCY)]
    assert numbers == [2, 16, 7, 1, 2]
    batch.numbers[VISIT_RECENCY] = tf.constant([[9.0]])
    assert after_step(batch, Typical(tf.constant(["milk"]), *empty)).numbers[VISIT_RECENCY].numpy() == 16
    tea = after_step(batch, Typical(tf.constant(["tea"]), *empty))
    assert tea.rows.numpy()[0].tolist() == [True, False]
    assert tea.interests[INTEREST_COUNT].numpy()[0, 0] == 3


@pytest.mark.parametrize(("attributes", "expected"), [([[0], [2], [1], [2], [0]], [0, 2, 1, 0]), ([[0], [0]], [0] * 4)])
def test_the_typical_item_is_the_most_frequent(attributes, expected):
    assert typical_items(np.array(attributes, np.int32), 2).tolist() == expected
