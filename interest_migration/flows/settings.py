"""Settings of the flow of interests."""

from pydantic import Field

from interest_migration.settings import Settings


class FlowSettings(Settings):
    """What is measured and what may be shown.

    Attributes:
      minimum_users: Categories, pairs and cells with fewer different users behind them are never shown.
      shown_categories: Categories of the matrix and of the pictures, the most frequent first; the others are pooled.
      tested_categories: Categories whose pairs are tested against chance, the most frequent first.
      minimum_expected: Pairs that chance would bring about less often are not tested.
      size_groups: Groups of baskets of similar size inside which chance is reckoned.
      shown_pairs: Most pairs that are listed.
      period_days: Length of a period of the course over time.
      resamples: Bootstrap resamples of users behind the intervals.
      confidence: Chance that all intervals of a table hold at once.
    """

    minimum_users: int = Field(5, ge=2)
    shown_categories: int = Field(12, ge=2, le=40)
    tested_categories: int = Field(100, ge=2, le=500)
    minimum_expected: float = Field(5.0, gt=0)
    size_groups: int = Field(20, ge=1, le=50)
    shown_pairs: int = Field(25, ge=1)
    period_days: float = Field(28, gt=0)
    resamples: int = Field(400, ge=50)
    confidence: float = Field(0.95, gt=0, lt=1)
