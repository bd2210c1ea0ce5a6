"""What the benchmark trains with, the same for every file."""

from typing import Final

from interest_migration.model.settings import LossWeights, ModelSettings
from interest_migration.training.settings import TrainingSettings

LONGEST: Final = 50
"""Newest items of a history that are read."""

MODEL: Final = ModelSettings(
    max_steps=LONGEST,
    loss_steps=LONGEST,
    buy_again=False,
    loss_weights=LossWeights(
        next_category=0,
        category_sequence=0,
        next_item=1,
        item_sequence=5,
        propensity=0,
        new_interest=0,
        churn=0,
        switch=0,
    ),
)
"""The product's model; a sequence file tells neither times nor prices, so only items are learned."""

TRAINING: Final = TrainingSettings(epochs=12, batch_size=128, patience=4, score=("next_item",), deterministic=False)


def training_settings(seed: int, budget_seconds: float | None) -> TrainingSettings:
    """Returns `TRAINING` with a seed and a limit of time."""
    return TRAINING.model_copy(update={"seed": seed, "budget_seconds": budget_seconds})
