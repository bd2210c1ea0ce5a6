"""What the model is trained on: one loss per task, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import tensorflow as tf

from interest_migration.model.item_objective import item_losses
from interest_migration.model.losses import (
    binary_loss,
    candidate_loss,
    full_softmax_losses,
    propensity_loss,
)
from interest_migration.model.new_items import new_item_loss
from interest_migration.model.scatter import members
from interest_migration.model.settings import LossWeights
from interest_migration.model.targets import Targets, next_step_targets, trim
from schemas.features import (
    CATEGORY_IDS,
    CHURN,
    CUT_TIME,
    FUTURE_CATEGORIES,
    HORIZON_OBSERVED,
    HORIZONS,
    ITEM_IDS,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    STEP_INDEX,
    SWITCHED,
    label_name,
)

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

OBJECTIVES: Final = tuple(LossWeights.model_fields)


def objectives(model: InterestModel, batch: dict[str, Any], outputs: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Computes every loss of a batch.

    Args:
      model: The model.
      batch: Padded inputs and labels.
      outputs: What the model returned for the batch.

    Returns:
      Name in `OBJECTIVES` -> scalar float32, 0 where the batch knows no label.
    """
    states = outputs["states"][:, ::-1][:, : model.settings.loss_steps]
    at_cut, before = _category_losses(model, batch, outputs, states)
    items = _targets(model, batch, ITEM_IDS, NEXT_ITEMS, model.sizes.items)
    item_at_cut, item_before = item_losses(model, items, outputs, states)
    return {
        "next_category": at_cut,
        "category_sequence": before,
        "next_item": item_at_cut,
        "item_sequence": item_before,
        "new_item": new_item_loss(model, batch, outputs),
        "propensity": _mean([_propensity(model, batch, outputs, horizon) for horizon in HORIZONS]),
        "new_interest": _mean([_new_interest(model, batch, outputs, horizon) for horizon in HORIZONS]),
        "churn": _mean(
            [binary_loss(outputs[f"churn_{horizon}"], batch[label_name(CHURN[horizon])]) for horizon in HORIZONS]
        ),
        "switch": binary_loss(outputs["switch"], batch[label_name(SWITCHED)]),
    }


def total(values: dict[str, tf.Tensor], weights: LossWeights) -> tf.Tensor:
    """Returns the weighted sum of the objectives."""
    return tf.add_n([value * getattr(weights, name) for name, value in values.items()])


def _mean(losses: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n(losses) / len(losses)


def _propensity(model: InterestModel, batch: dict[str, Any], outputs: dict[str, Any], horizon: str) -> tf.Tensor:
    positives = members(batch[label_name(FUTURE_CATEGORIES[horizon])], model.sizes.categories)
    return propensity_loss(outputs[f"propensity_{horizon}"], positives, batch[label_name(HORIZON_OBSERVED[horizon])])


def _new_interest(model: InterestModel, batch: dict[str, Any], outputs: dict[str, Any], horizon: str) -> tf.Tensor:
    positives = members(batch[label_name(NEW_CATEGORIES[horizon])], model.sizes.categories)
    positives &= (batch[label_name(HORIZON_OBSERVED[horizon])] == 1)[:, tf.newaxis]
    half_lives = tf.cast(model.newest_cut.value - batch[CUT_TIME], tf.float32) / (
        86_400 * model.settings.new_interest_half_life_days
    )
    return candidate_loss(outputs[f"new_interest_{horizon}"], positives, model.fresh(batch), 0.5**half_lives)


def _category_losses(
    model: InterestModel, batch: dict[str, Any], outputs: dict[str, Any], states: Any
) -> tuple[tf.Tensor, tf.Tensor]:
    size = model.sizes.categories
    targets = _targets(model, batch, CATEGORY_IDS, NEXT_CATEGORIES, size)
    before = tf.cast(model.next_category(states[:, 1:], model.category_embeddings()), tf.float32)
    logits = tf.concat([outputs["next_category"][:, tf.newaxis], before], axis=1)
    return full_softmax_losses(logits, targets)


def _targets(model: InterestModel, batch: dict[str, Any], events: str, label: str, size: int) -> Targets:
    positions = min(model.settings.loss_steps, model.settings.max_steps)
    targets = next_step_targets(batch[events], batch[STEP_INDEX], batch[label_name(label)], positions, size)
    return targets if model.static_shapes else trim(targets)
