import pytest

from interest_migration.errors import DataError
from interest_migration.ingestion.summary import IngestSummary, TableCounts

EXAMPLES = {"train": 5, "eval": 1, "test": 1}


def test_totals_add_counts_by_reason_and_keep_the_outer_times():
    total = IngestSummary.total(
        [
            IngestSummary(
                rows_read=10,
                rows_used=9,
                rejected={"bad_time": 1},
                first_event_s=5,
                last_event_s=9,
                examples={"train": 2},
            ),
            IngestSummary(
                rows_read=3,
                rows_used=0,
                rejected={"bad_time": 2, "duplicate": 1},
                labels={"train": {"switched": 1}},
                examples={"train": 3, "test": 1},
            ),
        ]
    )
    assert total == IngestSummary(
        rows_read=13,
        rows_used=9,
        rejected={"bad_time": 3, "duplicate": 1},
        first_event_s=5,
        last_event_s=9,
        examples={"test": 1, "train": 5},
        labels={"train": {"switched": 1}},
    )


def test_a_lost_row_is_an_error():
    with pytest.raises(DataError, match="read 10, used 7, set aside 2"):
        IngestSummary(rows_read=10, rows_used=7, rejected={"duplicate": 2}, examples=EXAMPLES).check()


def test_an_empty_split_is_an_error_that_says_what_to_change():
    summary = IngestSummary(
        rows_read=9,
        rows_used=2,
        rejected={"missing_user": 3, "bad_time": 4},
        users=1,
        first_event_s=0,
        last_event_s=86_400,
        examples={"train": 5},
    )
    found = r"none in eval, test \(2 usable events of 1 users, 1970-01-01 to 1970-01-02; "
    with pytest.raises(DataError, match=found + r"set aside: 4 bad_time, 3 missing_user\)"):
        summary.check_splits()


def test_notes_are_kept_once():
    parts = [IngestSummary(notes=["a"]), IngestSummary(), IngestSummary(notes=["b", "a"])]
    assert IngestSummary.total(parts).notes == ["a", "b"]


def test_json_round_trip():
    summary = IngestSummary(
        rows_read=1,
        rejected={"bad_time": 1},
        labels={"train": {"switched": 1}},
        examples=EXAMPLES,
        tables={"items": TableCounts(rows_read=3, rows_used=2, left_out=1)},
    )
    assert IngestSummary.from_json(summary.to_json()) == summary
    summary.check()
    summary.check_splits()


def test_a_table_that_all_workers_read_counts_once_and_must_balance():
    part = IngestSummary(tables={"items": TableCounts(rows_read=3, rows_used=2, left_out=1)})
    assert IngestSummary.total([part, part, IngestSummary()]).tables == part.tables
    part.check()
    with pytest.raises(DataError, match="rows of items do not balance"):
        IngestSummary(tables={"items": TableCounts(rows_read=3, rows_used=2, left_out=0)}).check()
