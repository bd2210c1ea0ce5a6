"""The loss of items that are treated as new: a few, drawn at random, are told apart by their texts alone.

Their own ids, events and popularity are out of sight, as they will be for items that nobody has seen yet. Which item
follows is asked of those only, given that one of them does: nothing has to be corrected for how they were drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from interest_migration.model.losses import masked_mean
from interest_migration.model.text_inputs import text_scores
from schemas.features import NEXT_ITEMS, label_name

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel


def new_item_loss(model: InterestModel, batch: dict[str, Any], outputs: dict[str, Any]) -> tf.Tensor:
    """Returns the mean softmax cross entropy of examples that one of the drawn items follows; 0 without texts.

    Args:
      model: The model.
      batch: Padded inputs and labels.
      outputs: What the model returned for the batch.
    """
    if model.neighbours is None or not model.settings.loss_weights.new_item:
        return tf.constant(0.0)
    drawn = draw_items(model)
    vectors = tf.gather(model.trajectory.events.language().item_table.value, drawn)
    own = None if model.settings.text.only else drawn
    logits = text_scores(model, batch, outputs["item_query"], tf.cast(vectors, tf.float32), own)
    follows = tf.reduce_any(batch[label_name(NEXT_ITEMS)][:, :, tf.newaxis] == drawn, axis=1)
    hits = tf.cast(follows, tf.float32)
    count = tf.reduce_sum(hits, axis=1)
    target = tf.math.divide_no_nan(tf.reduce_sum(hits * logits, axis=1), count)
    return masked_mean(tf.reduce_logsumexp(logits, axis=1) - target, tf.cast(count > 0, tf.float32))


def draw_items(model: InterestModel) -> tf.Tensor:
    """Returns `[n]` distinct ids, drawn evenly."""
    size = model.sizes.items
    order = tf.random.stateless_uniform([size], tf.cast(model.seeds.next(), tf.int32))
    return tf.math.top_k(order, min(model.settings.text.new_items, size)).indices + 1
