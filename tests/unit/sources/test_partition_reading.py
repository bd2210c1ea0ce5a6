"""Reading a log that lies in dated partitions."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from interest_migration.errors import DataError
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.column_changes import find_column_changes
from interest_migration.sources.files import fingerprints, plan_pieces
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.partition_settings import PartitionSettings, Selection
from interest_migration.sources.partition_times import PartitionTimes
from interest_migration.sources.reading import read_events
from interest_migration.sources.tables import load_items

DAY_S = 86_400
FIRST_S = 1_704_067_200  # 2024-01-01, span 19723
FIELDS = {"user": "user", "time": {"column": "ts", "format": "unix_s"}, "action": {"constant": "view"}, "item": "item"}


def mapping_of(files: str = "logs", **top: Any) -> SourceMapping:
    streams = [{"name": "log", "files": files, "fields": FIELDS}]
    return SourceMapping.from_values({"name": "shop", "streams": streams, **top}, source="test")


def write(root: Path, day: str, *times_s: int, item: str = "tea") -> None:
    folder = root / "logs" / day
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"anna,{time_s},{item}" for time_s in times_s]
    (folder / "log.csv").write_text("\n".join(["user,ts,item", *lines]) + "\n")


def select(*spans: int, **values: Any) -> Selection:
    settings = {"pattern": "logs/{YYYY}-{MM}-{DD}", "tolerance_hours": 1, **values}
    return PartitionSettings.from_values(settings, source="test").select(spans)


def read(root: Path, mapping: SourceMapping, selection: Selection) -> tuple[list[int], list[str]]:
    """Times of the events used, and reasons of the rows set aside."""
    times, reasons = [], []
    for number, piece in enumerate(plan_pieces(mapping, str(root), selection)):
        for events, rejects in read_events(piece, number, mapping, Pseudonymiser(b"k" * 32)):
            times += events["time_s"].to_pylist()
            reasons += rejects["reason"].to_pylist()
    return times, reasons


def test_only_the_selected_partitions_are_read(tmp_path: Path):
    for number in range(3):
        write(tmp_path, f"2024-01-0{number + 1}", FIRST_S + number * DAY_S)
    times, reasons = read(tmp_path, mapping_of(), select(19723, 19724))
    assert times == [FIRST_S, FIRST_S + DAY_S]
    assert reasons == []


def test_events_ahead_of_their_partition_are_set_aside(tmp_path: Path):
    write(tmp_path, "2024-01-01", FIRST_S, FIRST_S + DAY_S + 3599, FIRST_S + DAY_S + 3600)
    times, reasons = read(tmp_path, mapping_of(), select(19723))
    assert times == [FIRST_S, FIRST_S + DAY_S + 3599]
    assert reasons == ["after_its_span"]


def test_late_events_are_used_up_to_the_largest_delay(tmp_path: Path):
    write(tmp_path, "2024-01-02", FIRST_S + DAY_S, FIRST_S, FIRST_S - 1)
    assert read(tmp_path, mapping_of(), select(19724)) == ([FIRST_S + DAY_S, FIRST_S, FIRST_S - 1], [])
    limited = select(19724, max_late_days=1)
    assert read(tmp_path, mapping_of(), limited) == ([FIRST_S + DAY_S, FIRST_S], ["too_late"])


def test_a_stream_outside_of_partitions_ends_with_the_newest_one(tmp_path: Path):
    write(tmp_path, "2024-01-01", FIRST_S)
    (tmp_path / "orders.csv").write_text(
        f"user,ts,item\nanna,{FIRST_S - 9 * DAY_S},tea\nanna,{FIRST_S + 2 * DAY_S},tea\n"
    )
    mapping = mapping_of("orders.csv")
    assert read(tmp_path, mapping, select(19723)) == ([FIRST_S - 9 * DAY_S], ["after_its_span"])


def test_tables_inside_partitions_are_those_of_the_window(tmp_path: Path):
    write(tmp_path, "2024-01-01", FIRST_S)
    for day, brand in (("2024-01-01", "old"), ("2024-01-02", "new")):
        (tmp_path / "items" / day).mkdir(parents=True)
        (tmp_path / "items" / day / "items.csv").write_text(f"id,brand\ntea,{brand}\n")
    mapping = mapping_of(items={"files": "items", "id": "id", "brand": "brand"})
    selection = select(19723, pattern="*/{YYYY}-{MM}-{DD}")
    items = load_items(mapping, str(tmp_path), selection)
    assert items is not None
    assert items.columns["brand"].to_pylist() == ["old"]


def test_partitions_without_a_row_add_nothing(tmp_path: Path):
    for day, text in (("2024-01-02", ""), ("2024-01-03", "user,ts,item\n")):
        (tmp_path / "logs" / day).mkdir(parents=True)
        (tmp_path / "logs" / day / "log.csv").write_text(text)
    write(tmp_path, "2024-01-01", FIRST_S)
    assert read(tmp_path, mapping_of(), select(19723, 19724, 19725)) == ([FIRST_S], [])


def test_no_file_in_the_window_is_said(tmp_path: Path):
    write(tmp_path, "2024-01-01", FIRST_S)
    with pytest.raises(DataError, match="expected files logs for stream 'log'"):
        plan_pieces(mapping_of(), str(tmp_path), select(19724))


def test_each_partition_has_its_own_fingerprint(tmp_path: Path):
    write(tmp_path, "2024-01-01", FIRST_S)
    write(tmp_path, "2024-01-02", FIRST_S + DAY_S)
    before = fingerprints(mapping_of(), str(tmp_path), select(19723, 19724))
    again = fingerprints(mapping_of(), str(tmp_path), select(19723, 19724))
    write(tmp_path, "2024-01-02", FIRST_S + DAY_S, FIRST_S + DAY_S)
    after = fingerprints(mapping_of(), str(tmp_path), select(19723, 19724))
    assert again == before
    assert after.whole != before.whole
    assert after.spans[19723] == before.spans[19723]
    assert after.spans[19724] != before.spans[19724]


def test_what_comes_after_the_span_does_not_change_its_fingerprint(tmp_path: Path):
    write(tmp_path, "2024-01-01", FIRST_S)
    before = fingerprints(mapping_of(), str(tmp_path), select(19723))
    write(tmp_path, "2024-01-02", FIRST_S + DAY_S)
    assert fingerprints(mapping_of(), str(tmp_path), select(19723)) == before


def test_late_events_are_counted_with_the_largest_delay():
    import numpy as np

    times = PartitionTimes(start_s=1000, last_s=2099, late_s=500)
    assert times.count_late(np.array([400, 990, 1000, 1500])) == (2, 600)
    assert times.count_late(np.array([1000])) == (0, 0)
    assert times.count_late(np.array([], np.int64)) == (0, 0)
    assert PartitionTimes(None, 2099, None).count_late(np.array([1])) == (0, 0)


def test_a_missing_column_of_the_newest_partition_is_named_with_its_file(tmp_path: Path):
    write(tmp_path, "2024-01-01", FIRST_S)
    (tmp_path / "logs" / "2024-01-02").mkdir()
    (tmp_path / "logs" / "2024-01-02" / "log.csv").write_text("user,when,item\nanna,1,tea\n")
    with pytest.raises(DataError, match=r"2024-01-02/log\.csv: expected the columns 'ts'"):
        read(tmp_path, mapping_of(), select(19723, 19724))


def test_changed_columns_of_csv_files(tmp_path: Path):
    write(tmp_path, "2024-01-01", FIRST_S)
    (tmp_path / "logs" / "2024-01-02").mkdir()
    (tmp_path / "logs" / "2024-01-02" / "log.csv").write_text("user,ts,device\nanna,1,app\n")
    changes = find_column_changes(mapping_of(), str(tmp_path), select(19723, 19724))
    assert [(change.column, change.kind) for change in changes] == [("device", "new"), ("item", "gone")]
    assert find_column_changes(mapping_of(), str(tmp_path), select(19724)) == ()


def test_changed_types_of_parquet_files(tmp_path: Path):
    for day, kind in (("2024-01-01", pa.int64()), ("2024-01-02", pa.string())):
        (tmp_path / "logs" / day).mkdir(parents=True)
        table = pa.table({"user": ["anna"], "ts": [1], "item": pa.array([1]).cast(kind)})
        pq.write_table(table, tmp_path / "logs" / day / "log.parquet")
    (change,) = find_column_changes(mapping_of(), str(tmp_path), select(19723, 19724))
    assert (change.stream, change.column, change.kind, change.before, change.now) == (
        "log",
        "item",
        "changed_type",
        "int64",
        "string",
    )
