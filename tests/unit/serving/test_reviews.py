from pathlib import Path

import pytest

from interest_migration.errors import DataError
from interest_migration.serving.reviews import Action, Review, read_reviews, record_review, standing_review

FIRST = Review(Action.HOLD, "Ada", "wait for Monday", "2026-01-02T03:04:05Z", "run-1", "digest-a")
SECOND = Review(Action.RELEASE, "Bob", "Monday was fine", "2026-01-05T08:00:00Z", "run-1", "digest-a", 4)
OTHER = Review(Action.HOLD, "Ada", "odd prices", "2026-01-06T08:00:00Z", "run-2", "digest-b")


def test_reviews_are_kept_in_order(tmp_path: Path) -> None:
    for review in (FIRST, SECOND, OTHER):
        record_review(tmp_path / "served", review)
    assert read_reviews(tmp_path / "served") == [FIRST, SECOND, OTHER]


def test_the_newest_review_of_a_content_counts(tmp_path: Path) -> None:
    for review in (FIRST, OTHER, SECOND):
        record_review(tmp_path, review)
    assert standing_review(tmp_path, "digest-a") == SECOND
    assert standing_review(tmp_path, "digest-b") == OTHER
    assert standing_review(tmp_path, "digest-c") is None


def test_no_record_is_no_review(tmp_path: Path) -> None:
    assert read_reviews(tmp_path / "absent") == []


def test_a_damaged_record_is_an_error_with_its_line(tmp_path: Path) -> None:
    record_review(tmp_path, FIRST)
    with (tmp_path / ".reviews.jsonl").open("a") as file:
        file.write('{"action": "burn"}\n')
    with pytest.raises(DataError, match=r"expected a review in line 2 of .*\.reviews\.jsonl"):
        read_reviews(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"expected a folder for served models that can be written, received .*file"):
        record_review(tmp_path / "file", FIRST)


def test_a_review_in_words() -> None:
    assert FIRST.describe() == "held by Ada on 2026-01-02T03:04:05Z: wait for Monday"
    assert SECOND.describe() == "released by Bob on 2026-01-05T08:00:00Z: Monday was fine"
