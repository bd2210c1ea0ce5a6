"""The transform on a handful of examples written by hand."""

import numpy as np
import pytest
from synthetic_examples import raw_schema, write_records
from transform_runner import transform_examples

from interest_migration.ragged import read_examples
from schemas.features import (
    ACTION_IDS,
    AGE_BUCKETS,
    AGGREGATE_INPUTS,
    AGGREGATE_WIDTH,
    AGGREGATES,
    BRAND_IDS,
    CATEGORY_IDS,
    CHURN,
    EVENT_ACTION,
    EVENT_AGE,
    EVENT_CATEGORY,
    EVENT_ITEM,
    EVENT_PRICE,
    EVENT_SESSION,
    FUTURE_CATEGORIES,
    GAP_BUCKETS,
    INTEREST_CATEGORY,
    INTEREST_IDS,
    ITEM_IDS,
    NEXT_CATEGORIES,
    PRICE_BUCKETS,
    RAW_FEATURES,
    RECENCY,
    SESSION_INDEX,
    STEP_INDEX,
    TENURE,
    TRANSFORMED_FEATURES,
    USER,
    WINDOW_DAYS,
    Role,
    Shape,
    label_name,
)

WIDTHS = {Shape.SCALAR: 1, Shape.WINDOWS: len(WINDOW_DAYS)}
DEFAULTS = {"string": "", "int64": 1, "float32": 0.0}


def example(**values):
    """A raw example that is empty but for `values`; optional features are absent."""
    made = {spec.name: [DEFAULTS[spec.dtype]] * WIDTHS.get(spec.shape, 0) for spec in RAW_FEATURES if not spec.optional}
    return made | values


def events(items, categories, ages, prices, actions):
    count = len(items)
    blank = {spec.name: [DEFAULTS[spec.dtype]] * count for spec in RAW_FEATURES if spec.shape is Shape.EVENTS}
    return blank | {
        EVENT_ITEM: items,
        EVENT_CATEGORY: categories,
        EVENT_AGE: ages,
        EVENT_PRICE: prices,
        EVENT_ACTION: actions,
        EVENT_SESSION: [9] * count,
    }


TRAIN = [
    example(
        **events(
            items=["tea", "milk", "tea", ""],
            categories=["drinks", "drinks", "drinks", ""],
            ages=[900, 500, 500, 20],
            prices=[1.0, -1.0, 9.0, 2.0],
            actions=["view"] * 4,
        ),
        **{INTEREST_CATEGORY: ["drinks"], RECENCY: [0.0], TENURE: [7.0]},
    ),
    example(
        **events(items=["tea"], categories=["drinks"], ages=[1], prices=[1.0], actions=["purchase"]),
        **{INTEREST_CATEGORY: ["drinks", "toys"], RECENCY: [2.0], TENURE: [7.0], NEXT_CATEGORIES: ["toys"]},
        **{CHURN["short"]: [1], FUTURE_CATEGORIES["long"]: ["toys", "drinks"]},
    ),
]
TEST = [
    example(
        **events(
            items=["milk", "rum"],
            categories=["toys", "cars"],
            ages=[8, 3],
            prices=[0.5, 100.0],
            actions=["search", "dance"],
        ),
        **{INTEREST_CATEGORY: ["cars", "toys"], RECENCY: [5.0], TENURE: [float("inf")], USER: ["u"]},
    ),
    example(),
]
CONFIG = {
    "transform": {
        "items": {"min_count": 1},
        "categories": {"min_count": 1},
        "price_buckets": 2,
        "max_sessions": 4,
    }
}
SPLITS = {"train": TRAIN, "test": TEST}


def run(directory, schema=None):
    raw = {split: [write_records(directory / split / "data.gz", rows)] for split, rows in SPLITS.items()}
    _, paths = transform_examples(directory, raw, CONFIG, schema)
    return {split: read_examples(files, TRANSFORMED_FEATURES) for split, files in paths.items()}


@pytest.fixture(scope="module")
def columns(tmp_path_factory):
    return run(tmp_path_factory.mktemp("ragged"))


def lists(column):
    return [column[row].tolist() for row in range(len(column))]


def test_ids_are_none_vocabulary_or_unknown(columns):
    train, test = columns["train"], columns["test"]
    # tea three times, milk once; drinks in two profiles and one label, toys in one profile and two labels.
    assert lists(train[ITEM_IDS]) == [[1, 2, 1, 0], [1]]
    assert lists(test[ITEM_IDS]) == [[2, 3], []]
    drinks = train[CATEGORY_IDS][0][0]
    toys = 3 - drinks
    assert sorted(train[INTEREST_IDS][1].tolist()) == [1, 2]
    assert lists(train[CATEGORY_IDS]) == [[drinks] * 3 + [0], [drinks]]
    assert lists(test[CATEGORY_IDS]) == [[toys, 3], []]
    assert lists(test[INTEREST_IDS]) == [[3, toys], []]


def test_labels_share_the_ids_of_the_events(columns):
    train = columns["train"]
    toys = 3 - train[CATEGORY_IDS][0][0]
    assert lists(train[label_name(NEXT_CATEGORIES)]) == [[], [toys]]
    assert lists(train[label_name(FUTURE_CATEGORIES["long"])]) == [[], [toys, 3 - toys]]


def test_an_unused_vocabulary_has_no_known_value(columns):
    assert lists(columns["train"][BRAND_IDS]) == [[0, 0, 0, 0], [0]]


def test_absent_scalar_labels_are_unknown(columns):
    assert columns["train"][label_name(CHURN["short"])].tolist() == [-1, 1]
    assert columns["test"][label_name(CHURN["long"])].tolist() == [-1, -1]


def test_actions_are_a_fixed_table(columns):
    assert lists(columns["train"][ACTION_IDS]) == [[1, 1, 1, 1], [5]]
    assert lists(columns["test"][ACTION_IDS]) == [[7, 0], []]


def test_steps_gaps_ages_sessions(columns):
    train = columns["train"]
    assert lists(train[STEP_INDEX]) == [[2, 1, 1, 0], [0]]
    assert lists(train[GAP_BUCKETS])[0][0] == 0
    assert lists(train[GAP_BUCKETS])[1] == [0]
    assert lists(train[AGE_BUCKETS])[1] == [2]
    assert lists(train[SESSION_INDEX]) == [[3, 3, 3, 3], [3]]


def test_price_buckets(columns):
    assert lists(columns["train"][PRICE_BUCKETS])[0][1] == 0
    assert lists(columns["test"][PRICE_BUCKETS]) == [[1, 2], []]


def test_aggregates_are_scaled_logarithms_and_always_finite(columns):
    train, test = columns["train"][AGGREGATES], columns["test"][AGGREGATES]
    assert train.shape == (2, AGGREGATE_WIDTH)
    recency = 4 * len(WINDOW_DAYS)
    assert AGGREGATE_INPUTS[4] == RECENCY
    np.testing.assert_allclose(train[:, recency], [-1, 1], atol=1e-5)  # log 1 and log 3, so their mean is log(3) / 2
    assert test[0, recency] == pytest.approx((np.log(6) - np.log(3) / 2) / (np.log(3) / 2), abs=1e-5)
    assert not train[:, recency + 1].any()  # no variance
    assert np.isfinite(test).all()


def test_keys_and_slices_pass_through(columns):
    assert columns["test"][USER].tolist() == [b"u", b""]


def test_a_schema_without_ragged_lists_gives_the_same(columns, tmp_path):
    schema = raw_schema()
    schema.represent_variable_length_as_ragged = False
    found = run(tmp_path, schema)["test"]
    for name, column in columns["test"].items():
        if hasattr(column, "offsets"):
            assert lists(found[name]) == lists(column), name
        else:
            np.testing.assert_array_equal(found[name], column)


def test_every_promised_feature_is_written(columns):
    assert set(columns["train"]) == {spec.name for spec in TRANSFORMED_FEATURES}
    inputs = [spec.name for spec in TRANSFORMED_FEATURES if spec.role is Role.INPUT and spec.shape is Shape.EVENTS]
    assert all(columns["train"][name].lengths.tolist() == [4, 1] for name in inputs)
