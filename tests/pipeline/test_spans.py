"""Which spans a run reads, what it is told about them, and what later runs are told about it."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from interest_migration.errors import ConfigError, DataError
from interest_migration.sources.partition_settings import PartitionSettings
from pipeline.cli import main
from pipeline.config import PipelineConfig, load_config
from pipeline.data_facts import find_facts
from pipeline.data_records import RECORD_FILE, DataRecord, find_reference, read_records
from pipeline.run import Plan, read_plan
from pipeline.spans import parse_span

MAPPING = {
    "name": "clicks",
    "streams": [
        {
            "name": "clicks",
            "files": "events",
            "fields": {"user": "user", "time": {"column": "ts", "format": "unix_s"}, "action": {"constant": "view"}},
        }
    ],
}
GATES = {"rules": [{"name": "found", "task": "next_category", "metric": "hit_at_5", "at_least": 0.1}]}


def write(folder: Path, day: str, text: str = "user,ts\nanna,1704067200\n") -> None:
    (folder / "logs" / "events" / day).mkdir(parents=True, exist_ok=True)
    (folder / "logs" / "events" / day / "log.csv").write_text(text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        write(tmp_path, f"2024-01-0{number}")
    config = {
        "name": "shop",
        "workspace": "work",
        "data": {"mapping": "mapping.yaml", "input": "logs", "partitions": "events/{YYYY}-{MM}-{DD}"},
        "gates": "gates.yaml",
        "data_gates": "data-gates.yaml",
    }
    for name, values in {"mapping": MAPPING, "gates": GATES, "data-gates": {}, "config": config}.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(values))
    return tmp_path / "config.yaml"


def plan(file: Path, span: str | None = None, *overrides: str) -> Plan:
    return read_plan(load_config(file, overrides), span)


def facts_of(read: Plan):
    return find_facts(read.config, read.mapping, read.data_gates, read.spans)


def finish(config: PipelineConfig, run: str, record: DataRecord | None) -> None:
    """Leaves what a finished run leaves."""
    folder = config.workspace / "runs" / run
    folder.mkdir(parents=True)
    if record:
        record.write(folder)
    (folder / "outcome.json").write_text("{}")


def remember(read: Plan, run: str) -> DataRecord:
    """Finishes a run of a plan, with statistics of its own."""
    places = {name: str(read.config.workspace / name / run) for name in ("statistics", "summary")}
    for place in places.values():
        Path(place).mkdir(parents=True)
        (Path(place) / "file").write_text(run)
    record = facts_of(read).record(run, places)
    finish(read.config, run, record)
    return record


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_latest_span_is_the_default(file: Path):
    read = plan(file)
    assert read.spans is not None
    assert read.spans.selection.spans == (19723, 19724, 19725)
    assert read.config.data.span == 19725
    assert plan(file, "2024-01-02").config.data.span == 19724
    assert plan(file, "19723").config.data.span == 19723


def test_a_window_is_read(file: Path):
    partitions = "data.partitions={pattern: 'events/{YYYY}-{MM}-{DD}', window_spans: 2}"
    read = plan(file, None, partitions)
    assert read.spans is not None
    assert read.spans.selection.spans == (19724, 19725)


def test_a_missing_day_is_refused_with_its_name_or_said(file: Path):
    write(file.parent, "2024-01-06")
    with pytest.raises(DataError, match=r"received none for 2024-01-04 \(span 19726\), 2024-01-05 \(span 19727\)"):
        plan(file)
    warned = plan(file, None, "data.partitions={pattern: 'events/{YYYY}-{MM}-{DD}', missing_spans: warn}")
    assert warned.spans is not None
    assert warned.spans.notes() == ["2024-01-04 (span 19726), 2024-01-05 (span 19727): missing inside the window"]
    assert plan(file, "2024-01-03").spans is not None


def test_unfinished_and_newer_spans_are_said(file: Path):
    for number in (1, 2):
        (file.parent / "logs" / "events" / f"2024-01-0{number}" / "_SUCCESS").touch()
    marked = "data.partitions={pattern: 'events/{YYYY}-{MM}-{DD}', complete_marker: _SUCCESS}"
    read = plan(file, "2024-01-01", marked)
    assert read.spans is not None
    assert read.spans.notes() == [
        "2024-01-03 (span 19725): without _SUCCESS, so not read",
        "2024-01-02 (span 19724): newer than the run's span, so not read",
    ]


def test_an_empty_partition_is_said(file: Path):
    write(file.parent, "2024-01-02", "")
    read = plan(file)
    assert read.spans is not None
    assert read.spans.notes() == ["2024-01-02 (span 19724): without data"]


def test_a_span_of_a_log_without_partitions_is_refused(file: Path):
    with pytest.raises(ConfigError, match=r"--span: expected data\.partitions"):
        plan(file, "3", "data.partitions=null")
    assert plan(file, None, "data.partitions=null").spans is None


@pytest.mark.parametrize("text", ["yesterday", "2024-13-01", "-1"])
def test_a_span_is_a_number_or_a_date(text: str):
    with pytest.raises(ConfigError, match="expected a number or a date"):
        parse_span(text, PartitionSettings(pattern="{YYYY}-{MM}-{DD}"))
    with pytest.raises(ConfigError, match="has no dates"):
        parse_span("2024-01-01", PartitionSettings(pattern="{SPAN}"))


def test_a_dry_run_lists_the_partitions(file: Path):
    result = invoke("run", "--config", file, "--span", "2024-01-02", "--dry-run")
    assert result.exit_code == 0, result.output
    partitions = json.loads(result.stdout)["partitions"]
    assert partitions["span"] == 19724
    assert [entry["date"] for entry in partitions["read"]] == ["2024-01-01", "2024-01-02"]
    assert partitions["read"][0]["places"] == ["events/2024-01-01"]
    assert not (file.parent / "work").exists()


def test_span_and_latest_exclude_each_other(file: Path):
    result = invoke("run", "--config", file, "--span", "19723", "--latest")
    assert result.exit_code == 2
    assert "expected --span or --latest, received both" in result.output


def test_a_missing_span_ends_with_2(file: Path):
    result = invoke("run", "--config", file, "--span", "2024-02-01")
    assert result.exit_code == 2
    assert "nearest: 2024-01-01" in result.output


def test_the_listing_knows_gaps_and_runs(file: Path):
    write(file.parent, "2024-01-05")
    remember(plan(file, "2024-01-02"), "run-1")
    result = invoke("spans", "--config", file, "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["spans"]
    assert [(row["date"], row["state"], row["used_by"]) for row in rows] == [
        ("2024-01-01", "complete", "run-1"),
        ("2024-01-02", "complete", "run-1"),
        ("2024-01-03", "complete", None),
        ("2024-01-04", "missing", None),
        ("2024-01-05", "complete", None),
    ]
    assert "2024-01-04" in invoke("spans", "--config", file).stdout


def test_the_listing_finds_changed_spans_where_it_is_asked_to_read_them(file: Path):
    remember(plan(file), "run-1")
    write(file.parent, "2024-01-02", "user,ts\nboris,1704067200\n")
    states = {
        option: [
            row["state"] for row in json.loads(invoke("spans", "--config", file, "--json", *option).stdout)["spans"]
        ]
        for option in ((), ("--verify",))
    }
    assert states == {(): ["complete"] * 3, ("--verify",): ["complete", "changed", "complete"]}


def test_the_listing_needs_partitions(file: Path):
    result = invoke("spans", "--config", file, "--set", "data.partitions=null")
    assert result.exit_code == 2
    assert "expected data.partitions" in result.output


def test_a_span_that_was_delivered_again_is_said_with_both_fingerprints(file: Path):
    first = remember(plan(file, "2024-01-02"), "run-1")
    assert facts_of(plan(file, "2024-01-02")).notes == (
        "2024-01-03 (span 19725): newer than the run's span, so not read",
    )
    write(file.parent, "2024-01-01", "user,ts\nboris,1704067200\n")
    facts = facts_of(plan(file))
    (note,) = facts.notes
    assert note == (
        f"2024-01-01 (span 19723): delivered again with other bytes, {first.spans[19723]} in run run-1, "
        f"{facts.fingerprints.spans[19723]} now"
    )


def test_the_same_bytes_again_change_nothing_that_steps_see(file: Path):
    before = facts_of(plan(file))
    for path in (file.parent / "logs").rglob("log.csv"):
        path.write_bytes(path.read_bytes())
        os.utime(path, (1, 1))
    after = facts_of(plan(file))
    assert (after.fingerprints, after.delivery) == (before.fingerprints, before.delivery)


def test_the_run_before_is_that_of_the_newest_earlier_span(file: Path):
    for run, span in (("run-1", "2024-01-01"), ("run-2", "2024-01-02"), ("run-3", "2024-01-03")):
        remember(plan(file, span), run)
    reference = facts_of(plan(file, "2024-01-03")).reference
    assert reference is not None
    assert reference.name == "2024-01-02 (span 19724)"
    assert reference.statistics.endswith("run-2")
    assert reference.comparable
    assert facts_of(plan(file, "2024-01-01")).reference is None


def test_other_examples_are_not_comparable(file: Path):
    remember(plan(file, "2024-01-01"), "run-1")
    reference = facts_of(plan(file, "2024-01-02", "examples.max_events=7")).reference
    assert reference is not None
    assert not reference.comparable


def test_deleted_statistics_and_unfinished_runs_are_passed_over(file: Path):
    remember(plan(file, "2024-01-01"), "run-1")
    second = remember(plan(file, "2024-01-02"), "run-2")
    (Path(second.statistics) / "file").unlink()
    Path(second.statistics).rmdir()
    config = load_config(file)
    second.write(config.workspace / "runs" / "run-2")
    (config.workspace / "runs" / "run-3").mkdir()
    second.write(config.workspace / "runs" / "run-3")
    assert [record.run for record in read_records(config.workspace)] == ["run-1", "run-2"]
    reference = facts_of(plan(file)).reference
    assert reference is not None
    assert reference.name == "2024-01-01 (span 19723)"


def test_without_partitions_the_run_before_is_the_newest_of_other_data(file: Path):
    whole = "data.partitions=null"
    remember(plan(file, None, whole), "run-1")
    assert facts_of(plan(file, None, whole)).reference is None
    write(file.parent, "2024-01-04")
    reference = facts_of(plan(file, None, whole)).reference
    assert reference is not None
    assert reference.statistics.endswith("run-1")


def test_a_record_survives_its_file(file: Path):
    record = remember(plan(file), "run-1")
    assert DataRecord.read(load_config(file).workspace / "runs" / "run-1" / RECORD_FILE) == record
    assert find_reference([record], 1, "f", "d", partitioned=True) is None


def test_the_gate_learns_columns_that_changed_and_the_age_of_the_span_if_asked(file: Path):
    write(file.parent, "2024-01-03", "user,ts,device\nanna,1704240000,app\n")
    facts = facts_of(plan(file))
    assert facts.delivery.age_days is None
    assert facts.delivery.end_s == 1_704_326_400
    assert [change.column for change in facts.delivery.changes] == ["device"]
    assert facts.notes == (
        "stream 'clicks', column 'device' is new in the newest span; name it in the mapping if it is to be used",
    )
    (file.parent / "data-gates.yaml").write_text("freshness: {span_age_days: 1}")
    age = facts_of(plan(file)).delivery.age_days
    assert age == (datetime.now(tz=UTC) - datetime(2024, 1, 4, tzinfo=UTC)) // timedelta(days=1)


def test_a_folder_of_requests_is_relative_to_the_project(file: Path):
    (file.parent / "requests").mkdir()
    (file.parent / "requests" / "a.tfrecord").write_bytes(b"1")
    (file.parent / "data-gates.yaml").write_text("serving: {logs: requests}")
    read = plan(file)
    assert read.data_gates is not None
    assert read.data_gates.serving is not None
    assert read.data_gates.serving.logs == str(file.parent / "requests")
    assert len(facts_of(read).requests) == 32


def test_a_data_gates_file_that_does_not_fit_ends_with_2(file: Path):
    (file.parent / "data-gates.yaml").write_text("drift: {features: {price: {}}}")
    result = invoke("run", "--config", file, "--dry-run")
    assert result.exit_code == 2
    assert "data-gates.yaml: drift.features" in result.output
    assert "event_price" in result.output
