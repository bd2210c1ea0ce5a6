import pickle
from pathlib import Path

import pyarrow as pa

from interest_migration.ingestion.parcels import pack, spill

EVENTS = pa.record_batch(
    {"user": pa.array(["a", "b", "a", "c"]).dictionary_encode(), "time_s": pa.array([1, 2, 3, 4], pa.int64())}
)
PARTS = [(7, EVENTS.slice(0, 1)), (2, EVENTS.slice(1, 3))]


def _opened(parcels):
    return [(shard, parcel.open().to_pylist()) for shard, parcel in parcels]


def test_both_ways_deliver_the_same_rows(tmp_path: Path):
    expected = [
        (7, [{"user": "a", "time_s": 1}]),
        (2, [{"user": "b", "time_s": 2}, {"user": "a", "time_s": 3}, {"user": "c", "time_s": 4}]),
    ]
    assert _opened(pack(PARTS)) == expected
    assert _opened(spill(PARTS, tmp_path / "s.arrow")) == expected


def test_no_parts_are_no_parcels(tmp_path: Path):
    assert list(spill([], tmp_path / "s.arrow")) == []
    assert list(pack([])) == []


def test_a_spilled_parcel_travels_without_its_events(tmp_path: Path):
    ((_, parcel), _) = spill(PARTS, tmp_path / "s.arrow")
    assert parcel.payload == b""
    assert len(pickle.dumps(parcel)) < 500
