"""Examples through the C++ coder and TensorFlow's parser."""

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from event_tables import DAY_S, event, to_batch

from interest_migration.examples.build import build_examples
from interest_migration.examples.encode import ExampleEncoder
from interest_migration.examples.log import TimeRange
from interest_migration.examples.settings import ExampleSettings, Horizons
from interest_migration.examples.shard import prepare_shard

SETTINGS = ExampleSettings(
    active_days=95, horizons_days=Horizons(short=5, long=10), eval_cuts=1, test_cuts=1, interest_level=1
)


@pytest.fixture(scope="module")
def encoded() -> list[bytes]:
    """The test examples (cut on day 90) of two users: one comes back for bread, the other shows no interest."""
    events = [
        event(89 * DAY_S, "food > dairy", item="milk", price=1.5),
        event(91 * DAY_S, "food > bread", item="rye"),
        event(91 * DAY_S, "food > bread", item="wheat"),
        event(88 * DAY_S, user="f" * 32),
    ]
    shard, _ = prepare_shard([to_batch(events)], SETTINGS)
    return list(ExampleEncoder().encode(build_examples(shard, TimeRange(0, 100 * DAY_S), SETTINGS)["test"]))


def parse(encoded: list[bytes], **parsers: object) -> dict[str, tf.Tensor]:
    return tf.io.parse_example(encoded, parsers)


def test_scalars_and_windows_are_dense(encoded: list[bytes]) -> None:
    parsed = parse(
        encoded,
        user=tf.io.FixedLenFeature([], tf.string),
        cut_time_s=tf.io.FixedLenFeature([], tf.int64),
        recency_days=tf.io.FixedLenFeature([], tf.float32),
        window_spend=tf.io.FixedLenFeature([8], tf.float32),
    )
    assert parsed["user"].numpy().tolist()[1] == b"f" * 32
    assert parsed["cut_time_s"].numpy().tolist() == [90 * DAY_S] * 2
    assert parsed["recency_days"].numpy().tolist() == [1.0, 2.0]
    np.testing.assert_array_equal(parsed["window_spend"].numpy(), [[1.5] * 8, [0.0] * 8])


def test_lists_are_ragged(encoded: list[bytes]) -> None:
    parsed = parse(
        encoded,
        event_category=tf.io.RaggedFeature(tf.string),
        interest_category=tf.io.RaggedFeature(tf.string),
        next_categories=tf.io.RaggedFeature(tf.string),
        next_items=tf.io.RaggedFeature(tf.string),
        future_categories_long=tf.io.RaggedFeature(tf.string),
    )
    assert {name: value.to_list() for name, value in parsed.items()} == {
        "event_category": [[b"food > dairy"], [b""]],
        "interest_category": [[b"food > dairy"], []],
        "next_categories": [[b"food > bread"], []],
        "next_items": [[b"rye", b"wheat"], []],
        "future_categories_long": [[b"food > bread"], []],
    }


def test_absent_scalars_take_the_default_of_the_parser(encoded: list[bytes]) -> None:
    absent = tf.io.FixedLenFeature([], tf.int64, default_value=-1)
    parsed = parse(encoded, switched=absent, churn_short=absent, horizon_observed_short=absent)
    assert parsed["switched"].numpy().tolist() == [1, -1]
    assert parsed["churn_short"].numpy().tolist() == [-1, -1]  # active_days reach back before the log
    assert parsed["horizon_observed_short"].numpy().tolist() == [1, 1]


def test_slices_of_a_batch_encode_their_own_rows() -> None:
    events = [event(89 * DAY_S, item="milk"), event(89 * DAY_S, item="tea", user="f" * 32)]
    shard, _ = prepare_shard([to_batch(events)], SETTINGS)
    batch = build_examples(shard, TimeRange(0, 100 * DAY_S), SETTINGS)["test"]
    parsed = parse(list(ExampleEncoder().encode(batch.slice(1))), event_item=tf.io.RaggedFeature(tf.string))
    assert parsed["event_item"].to_list() == [[b"tea"]]


def test_long_batches_keep_every_row_in_order() -> None:
    rows = [index % 7 for index in range(1000)]
    batch = pa.record_batch({"cut_time_s": pa.array([[row] for row in rows], pa.large_list(pa.int64()))})
    parsed = parse(list(ExampleEncoder().encode(batch)), cut_time_s=tf.io.FixedLenFeature([], tf.int64))
    assert parsed["cut_time_s"].numpy().tolist() == rows
