"""Ingestion of a log in dated partitions: what is late, ahead or delivered twice."""

import csv
from collections import Counter
from datetime import timedelta
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from small_shop import MAPPING
from span_shop import Row, split_by_week, week, write_rows
from synthetic_log import DAY_S, START_S, write_log

from components.ingestion import HIDDEN_PROFILE_FILE, NO_BOUNDS, Plan, run_ingestion
from interest_migration.examples.settings import ExampleSettings
from interest_migration.ingestion.profile import EVENTS, read_profile
from interest_migration.ingestion.summary import IngestSummary
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.partition_settings import PartitionSettings
from interest_migration.sources.span_patterns import span_of_day

WEEKS = 20


@pytest.fixture
def log(tmp_path: Path) -> Path:
    write_log(tmp_path / "whole.csv", users=60)
    split_by_week(tmp_path / "whole.csv", tmp_path / "events", WEEKS)
    return tmp_path


def read_rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def ingest(folder: Path) -> IngestSummary:
    settings = PartitionSettings(pattern="events/{YYYY}-{MM}-{DD}", days=7, tolerance_hours=1, max_late_days=30)
    spans = [span_of_day(week(number)) for number in range(WEEKS)]
    mapping = {**MAPPING, "streams": [{**MAPPING["streams"][0], "files": "events"}]}  # type: ignore[index, dict-item]
    plan = Plan(
        mapping=SourceMapping.from_values(mapping, source="test").model_dump_json(),
        settings=ExampleSettings(eval_cuts=1, test_cuts=1, active_days=42, churn_actions=()).model_dump_json(),
        input_root=str(folder),
        key=b"k" * 32,
        shards=2,
        examples=str(folder / "examples"),
        rejects=str(folder / "rejects"),
        spill=str(folder / "spill"),
        partitions=settings.select(spans).model_dump_json(),
    )
    options = PipelineOptions(["--runner=FnApiRunner", "--direct_num_workers=1"])
    return run_ingestion(beam.Pipeline(options=options), plan, NO_BOUNDS)


def test_late_ahead_and_repeated_events_have_their_outcomes(log: Path):
    newest = log / "events" / str(week(WEEKS - 1)) / "log.csv"
    start_s = START_S + 7 * DAY_S * (WEEKS - 1)
    rows, again = read_rows(newest), read_rows(log / "events" / str(week(WEEKS - 2)) / "log.csv")
    shifts = {"on time": 2 * DAY_S, "late": -3 * DAY_S, "too late": -31 * DAY_S, "ahead": 7 * DAY_S + 3600}
    added = [{**rows[0], "item": name, "ts": str(start_s + shift)} for name, shift in shifts.items()]
    write_rows(newest, [*rows, *added, *again[:5]])
    summary = ingest(log)
    assert summary.rejected["after_its_span"] == 1
    assert summary.rejected["too_late"] == 1
    assert summary.rejected["duplicate"] >= 5
    assert summary.late_events == 1 + 5
    assert summary.largest_delay_s >= 3 * DAY_S
    assert summary.rows_read == summary.rows_used + sum(summary.rejected.values())
    assert summary.last_event_s is not None
    assert summary.last_event_s < start_s + 7 * DAY_S


def test_the_profile_counts_the_used_events_of_each_span(log: Path):
    summary = ingest(log)
    profile = read_profile(log / "rejects" / HIDDEN_PROFILE_FILE)
    found: Counter[int] = Counter()
    for row in profile.to_pylist():
        found[row["period"]] += row["count"] if row["field"] == EVENTS else 0
    parts = [read_rows(log / "events" / str(week(number)) / "log.csv") for number in reversed(range(WEEKS))]
    distinct = [len({tuple(row.values()) for row in rows}) for rows in parts]
    assert [found[period] for period in range(WEEKS)] == distinct
    assert sum(distinct) == summary.rows_used
    assert week(1) - week(0) == timedelta(days=7)
