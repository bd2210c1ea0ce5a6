"""A person's word on a model: held back, or released though the gate refused it."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from interest_migration.serving.reviews import Action, Review, now, record_review
from interest_migration.serving.rollouts import Author, record_push
from interest_migration.serving.versions import digest_files, list_versions, push_version
from pipeline.config import PipelineConfig
from pipeline.evaluation import finished_run, read_artifacts
from pipeline.records import try_report
from pipeline.workspace import locked


@dataclass(frozen=True)
class Reviewed:
    """What a review did, or would do.

    Attributes:
      review: The review.
      directory: The served model's folder, which keeps the record.
      still_served: Version that serves this model though it is held; None otherwise.
      recorded: False for a rehearsal.
    """

    review: Review
    directory: Path
    still_served: int | None
    recorded: bool

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return {
            "review": asdict(self.review),
            "directory": str(self.directory),
            "still_served": self.still_served,
            "recorded": self.recorded,
        }


def review_model(
    config: PipelineConfig, run_id: str | None, action: Action, by: str, reason: str, *, rehearse: bool
) -> Reviewed:
    """Holds or releases the model of a run; a released one is pushed. The run's report shows it from then on.

    Args:
      config: Names workspace and push directory.
      run_id: The run; the newest finished one if None.
      action: What was decided.
      by: Who decided.
      reason: Why.
      rehearse: Whether to say what would happen, and do nothing.

    Raises:
      DataError: If there is no such run, or the push directory cannot be written.
    """
    directory = config.served_directory
    with locked(config.workspace):
        run = finished_run(config.workspace, run_id)
        model = Path(read_artifacts(run)["model"]) / "Format-Serving"
        digest = digest_files(model)
        review = Review(action, by, reason, now(), run.name, digest)
        same = [version.number for version in list_versions(directory) if digest_files(version.path) == digest]
        held = same[-1] if same and action is Action.HOLD else None
        if rehearse:
            return Reviewed(review, directory, held, recorded=False)
        if action is Action.RELEASE:
            push = push_version(model, directory, config.push.keep_versions)
            record_push(push, Author(by, review.describe()), run.name)
            review = replace(review, version=push.version.number)
        record_review(directory, review)
        try_report(run, directory)
    return Reviewed(review, directory, held, recorded=True)
