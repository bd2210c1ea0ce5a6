"""Items that are treated as new in training: a few, drawn at random, are told apart by their texts alone.

Their own ids, events and popularity are out of sight, as they will be for items that nobody has seen yet. Which item
follows is asked of those only, given that one of them does: nothing has to be corrected for how they were drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import tensorflow as tf

from interest_migration.model.text_inputs import Inputs, text_scores
from schemas.features import ITEM_IDS, NEXT_ITEMS, STEP_INDEX, label_name

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

NEW_ITEMS: Final = "new_items"
"""In the outputs of a batch in training: `[n]` int32 ids of the items that were treated as new."""


def draw_new_items(model: InterestModel, training: bool) -> tf.Tensor:
    """Returns `[n]` distinct int32 ids, drawn evenly; none but in the training of a model that learns from them."""
    settings, size = model.settings, model.sizes.items
    if not (training and model.neighbours is not None and settings.loss_weights.new_item):
        return tf.zeros([0], tf.int32)
    order = tf.random.stateless_uniform([size], tf.cast(model.seeds.next(), tf.int32))
    return tf.math.top_k(order, min(settings.text.new_items, size)).indices + 1


def withhold(model: InterestModel, inputs: Inputs, drawn: tf.Tensor) -> Inputs:
    """Takes the events of items out of histories.

    Who bought an item buys it again, and a new item was bought by nobody: a model that reads the text of a drawn item
    in the history learns to expect it for that alone. Where texts are all that is known, they stay: there, what a user
    had is asked for as well.

    Args:
      model: The model.
      inputs: Padded inputs.
      drawn: `[n]` ids.

    Example:
      drawn [2], item_ids [[2, 1, 3]], step_index [[1, 0, 0]] -> [[0, 1, 3]], [[-1, 0, 0]].
    """
    if model.settings.text.only or not drawn.shape[0]:
        return inputs
    marks = tf.scatter_nd(drawn[:, tf.newaxis], tf.ones_like(drawn), [model.sizes.items + 2])
    out = tf.gather(marks, inputs[ITEM_IDS]) > 0
    hidden = {ITEM_IDS: tf.where(out, 0, inputs[ITEM_IDS]), STEP_INDEX: tf.where(out, -1, inputs[STEP_INDEX])}
    return {**inputs, **hidden}


def new_item_loss(model: InterestModel, batch: Inputs, outputs: dict[str, Any]) -> tf.Tensor:
    """Returns the softmax cross entropy of examples that one of the drawn items follows, over the size of the batch.

    So an item counts as often as it is asked for: a mean over those examples alone would weigh a batch with a staple,
    which follows in most of its examples, like one without. It is 0 if no item was drawn.

    Args:
      model: The model.
      batch: Padded inputs and labels.
      outputs: What the model returned for the batch.
    """
    drawn = outputs[NEW_ITEMS]
    if not drawn.shape[0]:
        return tf.constant(0.0)
    vectors = tf.gather(model.trajectory.events.language().item_table.value, drawn)
    hidden = None if model.settings.text.only else drawn
    inputs = withhold(model, batch, drawn)
    logits = text_scores(model, inputs, outputs["item_query"], tf.cast(vectors, tf.float32), hidden, training=True)
    follows = tf.reduce_any(batch[label_name(NEXT_ITEMS)][:, :, tf.newaxis] == drawn, axis=1)
    hits = tf.cast(follows, tf.float32)
    count = tf.reduce_sum(hits, axis=1)
    target = tf.math.divide_no_nan(tf.reduce_sum(hits * logits, axis=1), count)
    return tf.reduce_mean(tf.where(count > 0, tf.reduce_logsumexp(logits, axis=1) - target, 0.0))
