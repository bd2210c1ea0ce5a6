"""What the benchmark trains with, the same for every file."""

from typing import Final

from interest_migration.model.settings import GraphSettings, LossWeights, ModelSettings
from interest_migration.training.settings import TrainingSettings

LONGEST: Final = 50
"""Newest items of a history that are read."""

_ITEMS_ALONE: Final = LossWeights(
    next_category=0, category_sequence=0, next_item=1, item_sequence=5, propensity=0, new_interest=0, churn=0, switch=0
)
"""A sequence file tells neither times nor prices. Each target before the cut weighs about as much as the one at it."""

MODEL: Final = ModelSettings(
    max_steps=LONGEST,
    loss_steps=LONGEST,
    buy_again=False,
    pair_categories=1,
    item_graphs=(GraphSettings(), GraphSettings(steps=16, decay=0.9, both_ways=True, cosine=True)),
    loss_weights=_ITEMS_ALONE,
)
"""The product's model with two graphs: what followed an item, and what was found near it."""

TRAINING: Final = TrainingSettings(
    epochs=5,
    batch_size=128,
    learning_rate=1e-3,
    weight_decay=0.1,
    validation_examples=10_000,
    score=("next_item",),
    calibration_share=0,
    deterministic=False,
)


def training_settings(seed: int, budget_seconds: float | None) -> TrainingSettings:
    """Returns `TRAINING` with a seed and a limit of time."""
    return TRAINING.model_copy(update={"seed": seed, "budget_seconds": budget_seconds})
