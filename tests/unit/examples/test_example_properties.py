"""What must hold for examples of any log: no leakage, no order within a second, the same features online."""

import random

import numpy as np
import pyarrow as pa
import pytest
from event_tables import DAY_S, Event, to_batch, to_dictionaries, to_examples
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from random_logs import LOG, LOG_DAYS, LOGS, SETTINGS

from interest_migration.examples.build import build_examples, build_features
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.shard import prepare_shard
from interest_migration.examples.splits import plan_cuts
from schemas.features import RAW_FEATURES, Role

UNTIL = hypothesis_settings(max_examples=20, deadline=None)
NOT_LABELS = [spec.name for spec in RAW_FEATURES if spec.role is not Role.LABEL]
INPUTS = [spec.name for spec in RAW_FEATURES if spec.role in (Role.KEY, Role.INPUT)]
DAYS = st.integers(1, LOG_DAYS)


def examples_of(events: list[Event], settings: ExampleSettings) -> dict[str, pa.RecordBatch]:
    shard, _ = prepare_shard([to_batch(events)], settings)
    return build_examples(shard, LOG, settings, None)


def features_by_key(batch: pa.RecordBatch, before_s: int) -> dict[tuple[bytes, int], pa.RecordBatch]:
    rows = [batch.slice(row, 1).select(NOT_LABELS) for row in range(len(batch))]
    keyed = {(row["user"][0].as_py()[0], row["cut_time_s"][0].as_py()[0]): row for row in rows}
    return {key: row for key, row in keyed.items() if key[1] <= before_s}


@UNTIL
@given(LOGS, LOGS, DAYS, SETTINGS)
def test_nothing_at_or_after_the_cut_reaches_a_feature(
    events: list[Event], others: list[Event], day: int, settings: ExampleSettings
) -> None:
    pivot_s = day * DAY_S
    past = [e for e in events if e["time_s"] < pivot_s]
    before = examples_of(events, settings)
    after = examples_of(past + [e for e in others if e["time_s"] >= pivot_s], settings)
    for split, batch in before.items():
        old, new = features_by_key(batch, pivot_s), features_by_key(after[split], pivot_s)
        if settings.sampling == "calendar":
            assert old.keys() == new.keys()
        for key in old.keys() & new.keys():
            assert old[key].equals(new[key])


@UNTIL
@given(LOGS, LOGS, SETTINGS)
def test_labels_never_look_into_the_next_split(
    events: list[Event], others: list[Event], settings: ExampleSettings
) -> None:
    windows = plan_cuts(LOG, settings).windows
    before = examples_of(events, settings)
    for split, bound_s in (("train", windows["eval"][0].first_s), ("eval", windows["test"][0].first_s)):
        replaced = [e for e in events if e["time_s"] < bound_s] + [e for e in others if e["time_s"] >= bound_s]
        assert examples_of(replaced, settings)[split].equals(before[split])


@UNTIL
@given(LOGS, SETTINGS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_order_of_rows_means_nothing(
    events: list[Event], settings: ExampleSettings, shuffler: random.Random, pieces: int
) -> None:
    settings = settings.model_copy(update={"conflicting_fields": ("brand", "price")})
    events = [{**event, "source_row": row} for row, event in enumerate(events)]
    shuffled = shuffler.sample(events, len(events))
    batches = [to_batch(shuffled[piece::pieces]) for piece in range(pieces)]
    mixed = [to_dictionaries(batch) if piece % 2 else batch for piece, batch in enumerate(batches)]
    shard, _ = prepare_shard(mixed, settings)
    got = build_examples(shard, LOG, settings, None)
    for split, batch in examples_of(events, settings).items():
        assert got[split].equals(batch)


@UNTIL
@given(LOGS, LOGS, SETTINGS)
def test_other_users_mean_nothing(events: list[Event], others: list[Event], settings: ExampleSettings) -> None:
    stranger = "f" * 32
    together = examples_of(events + [{**e, "user": stranger} for e in others], settings)
    for split, batch in examples_of(events, settings).items():
        known = [user != [stranger.encode()] for user in together[split]["user"].to_pylist()]
        assert together[split].filter(pa.array(known, pa.bool_())).equals(batch)


@UNTIL
@given(LOGS, SETTINGS)
def test_online_features_equal_those_of_the_batch(events: list[Event], settings: ExampleSettings) -> None:
    log = to_batch(events).drop_columns(["source_piece", "source_row", "text", "extras"])
    for batch in examples_of(events, settings).values():
        for row in range(len(batch)):
            user, cut_s = batch["user"][row].as_py()[0].decode(), batch["cut_time_s"][row].as_py()[0]
            own = log.filter(pa.array([e["user"] == user for e in events], pa.bool_()))
            assert build_features(own, cut_s, settings).equals(batch.slice(row, 1).select(INPUTS))


@UNTIL
@given(LOGS, DAYS, SETTINGS)
def test_a_bounded_buffer_gives_the_same_history(events: list[Event], day: int, settings: ExampleSettings) -> None:
    cut_s = day * DAY_S
    for whole in to_examples(build_features(to_batch(events), cut_s, settings)):
        oldest_s = cut_s - whole["event_age_seconds"][0]
        newest = [e for e in events if e["user"] == whole["user"][0] and e["time_s"] >= oldest_s]
        bounded = to_examples(build_features(to_batch(newest), cut_s, settings))[0]
        assert {n: v for n, v in bounded.items() if n.startswith("event_")} == {
            n: v for n, v in whole.items() if n.startswith("event_")
        }


def test_online_features_of_several_users_come_by_user() -> None:
    users = ["b" * 32, "a" * 32, "c" * 32]
    events = [{"user": user, "time_s": DAY_S * (1 + day), "action": "view"} for day, user in enumerate(users)]
    features = to_examples(build_features(pa.Table.from_batches([to_batch(events)]), 3 * DAY_S, ExampleSettings()))
    assert [example["user"] for example in features] == [["a" * 32], ["b" * 32]]
    assert [example["recency_days"] for example in features] == [[1.0], [2.0]]


def test_online_features_of_nobody_are_empty() -> None:
    features = build_features(to_batch([]), 5, ExampleSettings())
    assert features.num_rows == 0
    assert features.schema.names == INPUTS


def test_online_features_take_any_name_of_a_user() -> None:
    features = build_features(to_batch([{"user": "visitor", "time_s": 1, "action": "view"}]), 5, ExampleSettings())
    assert features["user"].to_pylist() == [[b"visitor"]]


@pytest.mark.parametrize("horizon", ["short", "long"])
def test_a_random_log_does_reach_the_labels(horizon: str) -> None:
    """The properties above would hold for empty batches, too: this log shows that they are not empty."""
    rng = np.random.default_rng(0)
    events: list[Event] = [
        {"user": "a" * 32, "time_s": int(time_s), "action": "purchase", "category_path": "food"}
        for time_s in rng.integers(0, LOG.end_s, 200)
    ]
    settings = ExampleSettings(cut_every_days=2, active_days=3, horizons_days={"short": 2, "long": 4})
    for batch in examples_of(events, settings).values():
        assert len(batch) > 1
        assert batch[f"churn_{horizon}"].null_count < len(batch)
        assert batch[f"future_categories_{horizon}"].to_pylist()[0] == [b"food"]
