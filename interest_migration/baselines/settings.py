"""Settings of the baselines."""

from pydantic import Field

from interest_migration.settings import Settings


class BaselineSettings(Settings):
    """How baselines are fitted.

    Attributes:
      churn_trees: Trees of boosted churn.
      churn_learning_rate: Its learning rate.
      pair_trees: Trees of a boosted propensity; scoring time grows with it.
      pair_learning_rate: Its learning rate.
      positive_pairs: At most so many (user, category) pairs with a later touch train a boosted propensity.
      negatives_per_positive: Pairs without a later touch that are drawn for each pair with one.
      item_history_steps: Newest steps from which item transitions start.
      item_step_decay: Weight of a step relative to the one after it.
      seed: Seed of sampling and boosting.
    """

    churn_trees: int = Field(200, ge=1)
    churn_learning_rate: float = Field(0.03, gt=0, le=1)
    pair_trees: int = Field(100, ge=1)
    pair_learning_rate: float = Field(0.1, gt=0, le=1)
    positive_pairs: int = Field(100_000, ge=1)
    negatives_per_positive: float = Field(2.0, gt=0)
    item_history_steps: int = Field(5, ge=1)
    item_step_decay: float = Field(0.8, gt=0, le=1)
    seed: int = 0
