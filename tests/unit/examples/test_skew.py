"""A user or a category that outweighs all others costs no more than its rows."""

import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from event_tables import DAY_S, pseudonym

from interest_migration.examples.build import build_examples
from interest_migration.examples.cuts import choose_cuts
from interest_migration.examples.log import TimeRange
from interest_migration.examples.partition import partition_by_user
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.shard import prepare_shard
from interest_migration.examples.splits import plan_cuts
from interest_migration.examples.touches import collect_touches, pair_with_categories

ROWS, USERS, CATEGORIES, DAYS = 60_000, 300, 40, 300
HOT = pseudonym(USERS)
LOG = TimeRange(0, DAYS * DAY_S)
SETTINGS = ExampleSettings(max_events=64, max_interests=16, max_events_per_user=5_000, cut_every_days=7)


def make_events(*, hot_events: int = 0, hot_share: float = 0.0) -> pa.RecordBatch:
    draw = np.random.default_rng(3)
    user, category = draw.integers(0, USERS, ROWS), draw.integers(0, CATEGORIES, ROWS)
    user[:hot_events] = USERS
    category[draw.random(ROWS) < hot_share] = 0
    return pa.record_batch(
        {
            "user": pa.array([pseudonym(number) for number in user.tolist()]).dictionary_encode(),
            "time_s": draw.integers(0, LOG.end_s, ROWS),
            "action": pa.array(["purchase"] * ROWS).dictionary_encode(),
            "item": pa.array([f"item {number}" for number in draw.integers(0, 2000, ROWS).tolist()]),
            "category_path": pa.array([f"category {number:02}" for number in category.tolist()]).dictionary_encode(),
            "source_piece": np.zeros(ROWS, np.int32),
            "source_row": np.arange(ROWS),
        }
    )


EVEN = make_events()
SKEWED = make_events(hot_events=40_000, hot_share=0.9)


def test_the_newest_events_of_a_hot_user_make_the_same_examples_as_if_there_were_no_others() -> None:
    shard, rejects = prepare_shard([SKEWED], SETTINGS)
    assert rejects["reason"].value_counts().to_pylist() == [{"values": "hot_user", "counts": rejects.num_rows}]
    assert len(shard.time_s) + rejects.num_rows == ROWS
    assert np.diff(shard.user_offsets).max() <= SETTINGS.max_events_per_user
    dropped = pa.array(np.isin(np.arange(ROWS), rejects["source_row"].to_numpy(), invert=True))
    light, nothing = prepare_shard([SKEWED.filter(dropped)], SETTINGS)
    assert nothing.num_rows == 0
    for split, examples in build_examples(shard, LOG, SETTINGS).items():
        assert examples.equals(build_examples(light, LOG, SETTINGS)[split])
    assert [HOT.encode()] in build_examples(shard, LOG, SETTINGS)["test"]["user"].to_pylist()


def test_features_of_a_hot_user_are_as_short_as_anyones() -> None:
    shard, _ = prepare_shard([SKEWED], SETTINGS)
    for examples in build_examples(shard, LOG, SETTINGS).values():
        names = examples.schema.names
        longest = {name: pc.max(pc.list_value_length(examples[name])).as_py() or 0 for name in names}
        assert max(length for name, length in longest.items() if name.startswith("event_")) <= SETTINGS.max_events
        assert max(length for name, length in longest.items() if name.startswith("interest_")) <= SETTINGS.max_interests
        assert max(longest.values()) <= SETTINGS.max_events


@pytest.mark.parametrize("events", [EVEN, SKEWED], ids=["even", "skewed"])
def test_pairs_grow_with_examples_and_categories_and_not_with_events(events: pa.RecordBatch) -> None:
    shard, _ = prepare_shard([events], SETTINGS)
    cuts = choose_cuts(shard, plan_cuts(LOG, SETTINGS).windows["train"], SETTINGS, "train")
    pairs = pair_with_categories(cuts, collect_touches(shard, SETTINGS))
    assert len(pairs.example) <= len(cuts) * CATEGORIES
    assert np.bincount(pairs.example).max() <= CATEGORIES


def test_skew_needs_no_more_memory_than_an_even_log() -> None:
    peaks = {}
    for name, events in (("even", EVEN), ("skewed", SKEWED)):
        tracemalloc.start()
        shard, _ = prepare_shard([events], SETTINGS)
        build_examples(shard, LOG, SETTINGS)
        peaks[name] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks["skewed"] < 1.2 * peaks["even"]


def test_parcels_hold_every_row_once_and_only_their_own_words() -> None:
    for events in (EVEN, SKEWED):
        parts = dict(partition_by_user(events, 4))
        assert sum(map(len, parts.values())) == ROWS
        sizes = [part.nbytes for part in parts.values()]
        assert sum(sizes) < 1.2 * events.nbytes
    largest = max(parts.values(), key=len)
    assert len(largest) >= 40_000
    assert set(largest["user"].dictionary.to_pylist()) == set(largest["user"].to_pylist())
