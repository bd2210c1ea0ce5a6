"""What people decided about models, against or beside the gate: held back, or released though refused.

The record lies beside the versions, where every pipeline that pushes there reads it: `served/interests/.reviews.jsonl`,
one JSON object per line, only ever appended to. A review is about a model's content, not about a run: a model that is
made again, byte for byte, is still held or released. The newest review of a model counts.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from interest_migration.serving import journal

REVIEWS_FILE: Final = ".reviews.jsonl"


class Action(StrEnum):
    """What a person decided."""

    HOLD = "hold"  # it must not be pushed, whatever the gate says
    RELEASE = "release"  # it may be pushed, though the gate refused it


@dataclass(frozen=True)
class Review:
    """One decision of a person.

    Attributes:
      action: What was decided.
      by: Who decided.
      reason: Why, in their words.
      at: When, ISO 8601 UTC.
      run: Run that made the model.
      digest: Content of the model (`interest_migration.serving.versions.digest_files`).
      version: Version it was pushed as, if it was.
    """

    action: Action
    by: str
    reason: str
    at: str
    run: str
    digest: str
    version: int | None = None

    def describe(self) -> str:
        """Returns one sentence: `released by Ada on 2026-03-01T10:00:00Z: known outage on the test days`."""
        done = {Action.HOLD: "held", Action.RELEASE: "released"}[self.action]
        return f"{done} by {self.by} on {self.at}: {self.reason}"


def now() -> str:
    """Returns the time as reviews write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def record_review(directory: Path, review: Review) -> None:
    """Appends a review to the record of a served model's folder.

    Raises:
      DataError: If it cannot be written.
    """
    journal.append(directory / REVIEWS_FILE, asdict(review))


def read_reviews(directory: Path) -> list[Review]:
    """Returns all reviews, oldest first.

    Raises:
      DataError: If the record is damaged: a hold must not be lost unnoticed.
    """
    return journal.read(
        directory / REVIEWS_FILE, "a review", lambda values: Review(**{**values, "action": Action(values["action"])})
    )


def standing_review(directory: Path, digest: str) -> Review | None:
    """Returns the newest review of a model's content, or None."""
    return next((review for review in reversed(read_reviews(directory)) if review.digest == digest), None)
