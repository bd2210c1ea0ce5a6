"""Taking an event out of an example gives what the example builder makes of the log without it."""

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from synthetic_examples import encode_example

from interest_migration.examples.build import build_features
from interest_migration.examples.settings import ExampleSettings
from interest_migration.model.explanation import EXPLAINED_EVENTS, make_variants
from interest_migration.model.inputs import parsers
from interest_migration.model.raw_batch import from_raw, to_raw
from schemas.features import AGGREGATE_INPUTS, EVENT_AGE, INTEREST_CATEGORY, RAW_FEATURES, Role, Shape

INPUTS = tuple(spec for spec in RAW_FEATURES if spec.role is Role.INPUT)
PARSERS = {
    spec.name: tf.io.FixedLenFeature([1], tf.float32) if spec.shape is Shape.SCALAR else parser
    for spec, parser in zip(INPUTS, parsers(INPUTS).values(), strict=True)
}
CUT_S, DAY_S = 1_600_000_000, 86_400
SETTINGS = ExampleSettings(interest_level=1, interest_actions=("purchase", "cart"), session_gap_minutes=30)


def make_log(user, steps, seed):
    """Events of a user over 200 days, 1 to 3 in a step; no step starts within half an hour of another."""
    rng = np.random.default_rng(seed)
    times = CUT_S - np.sort(rng.choice(np.arange(1, 2000), steps, replace=False))[::-1] * 8_640
    rows = [time for time in times.tolist() for _ in range(rng.integers(1, 4))]
    return [
        {
            "user": user,
            "time_s": time,
            "action": str(rng.choice(["purchase", "cart", "view"])),
            "item": f"item-{number}",
            "category_path": f"food > {rng.choice(list('abcd'))} > x" if rng.random() < 0.9 else None,
            "price": float(rng.integers(1, 9)) if rng.random() < 0.8 else None,
        }
        for number, time in enumerate(rows)
    ]


def features(rows):
    found = build_features(pa.Table.from_pylist(rows), CUT_S, SETTINGS).to_pylist()
    return [{spec.name: row[spec.name] for spec in INPUTS} for row in found]


def parse(examples):
    named = [
        {name: [v.decode() if isinstance(v, bytes) else v for v in values] for name, values in example.items()}
        for example in examples
    ]
    return tf.io.parse_example(tf.constant([encode_example(example) for example in named]), PARSERS)


def plain(raw, row):
    return {name: value[row].numpy().tolist() for name, value in raw.items()}


def assert_same(found, expected):
    order, wanted = np.argsort(found[INTEREST_CATEGORY]), np.argsort(expected[INTEREST_CATEGORY])
    for spec in INPUTS:
        left, right = found[spec.name], expected[spec.name]
        if spec.shape is Shape.INTERESTS:
            left, right = [left[at] for at in order], [right[at] for at in wanted]
        if spec.dtype == "string":
            assert left == right, spec.name
        else:
            np.testing.assert_allclose(left, right, rtol=2e-4, atol=2e-3, err_msg=spec.name)


@pytest.fixture(scope="module")
def variants():
    logs = [make_log("anna", 6, 1), make_log("bert", 1, 2)[:1], make_log("carl", 12, 3)]
    examples = [features(log)[0] for log in logs]
    batch = from_raw(parse(examples))
    found = make_variants(batch, SETTINGS.interest_actions, SETTINGS.churn_actions)
    raw = to_raw(found.batch.flat(), PARSERS)
    return logs, examples, found, raw


def test_the_first_variant_is_the_example(variants):
    _, examples, found, raw = variants
    each = found.numbers.shape[0]
    for user, example in enumerate(examples):
        assert plain(raw, user * each) == plain(parse([example]), 0)


@pytest.mark.parametrize("user", [0, 2])
def test_without_an_event(variants, user):
    logs, examples, found, raw = variants
    each = found.numbers.shape[0]
    ages = examples[user][EVENT_AGE]
    items = [name.decode() for name in examples[user]["event_item"]]
    for place, position in enumerate(found.position[user].numpy()[: len(ages)].tolist()):
        rest = [row for row in logs[user] if row["item"] != items[position]]
        assert_same(plain(raw, user * each + 1 + place), plain(parse(features(rest)), 0))


def test_without_an_interest(variants):
    logs, examples, found, raw = variants
    each, first = found.numbers.shape[0], 1 + EXPLAINED_EVENTS
    for user in (0, 2):
        for place, name in enumerate(examples[user][INTEREST_CATEGORY]):
            path = f"{name.decode()} > x"
            rest = [row for row in logs[user] if row["category_path"] != path or row["action"] == "view"]
            assert_same(plain(raw, user * each + first + place), plain(parse(features(rest)), 0))


def test_without_the_only_event(variants):
    logs, _, found, raw = variants
    assert len(logs[1]) == 1
    left = plain(raw, found.numbers.shape[0] + 1)
    assert not any(any(left[spec.name]) for spec in INPUTS if spec.dtype == "float32")
    assert left[EVENT_AGE] == left[INTEREST_CATEGORY] == []


def test_an_empty_history_stays_empty():
    example = {spec.name: [0.0] * 8 if spec.shape is Shape.WINDOWS else [] for spec in INPUTS}
    example |= {spec.name: [0.0] for spec in INPUTS if spec.shape is Shape.SCALAR}
    batch = from_raw(parse([example]))
    found = make_variants(batch, SETTINGS.interest_actions, SETTINGS.churn_actions)
    raw = to_raw(found.batch.flat(), PARSERS)
    assert found.numbers.shape[0] == 1 + EXPLAINED_EVENTS + len(AGGREGATE_INPUTS)
    assert plain(raw, 0) == plain(raw, 5) == plain(parse([example]), 0)
