"""Settings of the comparison with the baselines, and of the exact evaluation behind it."""

from pydantic import Field

from interest_migration.settings import Settings


class ComparisonSettings(Settings):
    """How the model is compared with the baselines.

    Attributes:
      resamples: Bootstrap resamples behind the intervals; 0 gives none.
      confidence: Share of the resamples inside an interval.
      minimum_positives: Categories with fewer positive examples are left out of macro AUROC.
    """

    resamples: int = Field(200, ge=0)
    confidence: float = Field(0.95, gt=0, lt=1)
    minimum_positives: int = Field(10, ge=1)


class EvaluationSettings(ComparisonSettings):
    """How methods are scored.

    Attributes:
      new_interest_days: W of `ExampleSettings`: categories not touched in so many days are new-interest candidates.
      calibration_bins: Equal-width bins of the expected calibration error.
      scored_rows: Examples whose item scores are held at once.
      minimum_users: Slices with fewer different users are neither judged nor named by whoever reads the measures.
      maximum_clusters: Above so many users, users are pooled into so many groups, which are resampled instead.
    """

    new_interest_days: float = Field(gt=0)
    calibration_bins: int = Field(15, ge=1)
    scored_rows: int = Field(256, ge=1)
    minimum_users: int = Field(1, ge=1)
    maximum_clusters: int = Field(50_000, ge=2)
