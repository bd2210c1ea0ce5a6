"""Items that the model knows by their text alone: hidden ones in training, new ones in serving.

Such an item has the id V + 1 (unknown) everywhere but in its text. With V = 3 and item 2 hidden:

    item_ids 1 2 3   shown 0 1 4 3 4   read as 1 4 3, with the texts of 1 2 3
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import tensorflow as tf

from schemas.features import ITEM_IDS
from schemas.signatures import EVENT_VECTORS, ITEM_VECTORS

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

TRUE_ITEM_IDS: Final = "true_item_ids"
"""In the inputs of a batch with hidden items: `[B, E]` int32, whose texts are read."""

SHOWN_ITEMS: Final = "shown_items"
"""In the outputs of a batch with hidden items: `[V + 2]` int32, the id under which each item is known."""

Inputs = dict[str, Any]


def hide_items(model: InterestModel, inputs: Inputs, training: bool) -> tuple[Inputs, Any]:
    """Hides a share of the items of a batch: in training, or always if the model knows texts only.

    Returns:
      Inputs in which hidden items are unknown, and `[V + 2]` under which id each item is known; the inputs as they are
      and None if nothing is hidden.
    """
    settings, size = model.settings.text, model.sizes.items
    share = 1.0 if settings.only else settings.hidden_share if training else 0.0
    if not model.sizes.text_width or not share:
        return inputs, None
    ids = tf.range(size + 2)
    drawn = tf.random.stateless_uniform([size + 2], tf.cast(model.seeds.next(), tf.int32)) if share < 1 else 0.0
    shown = tf.where((ids > 0) & (tf.zeros([size + 2]) + drawn < share), size + 1, ids)
    hidden = {ITEM_IDS: tf.gather(shown, inputs[ITEM_IDS]), TRUE_ITEM_IDS: inputs[ITEM_IDS]}
    return {**inputs, **hidden}, shown


def score_by_text(model: InterestModel, batch: Inputs, event_vectors: tf.Tensor, item_vectors: tf.Tensor) -> tf.Tensor:
    """Returns what the signature `score_items` returns, see `schemas.signatures`: `[B, C]` logits.

    Args:
      model: A model with texts.
      batch: Padded inputs.
      event_vectors: `[B, N, W]`.
      item_vectors: `[C, W]`.
    """
    inputs = {**batch, EVENT_VECTORS: event_vectors}
    return text_scores(model, inputs, model(inputs, training=False)["item_query"], item_vectors)


def text_scores(
    model: InterestModel,
    inputs: Inputs,
    query: tf.Tensor,
    vectors: tf.Tensor,
    hidden: Any = None,
    training: bool = False,
) -> tf.Tensor:
    """Returns the `[B, C]` logits of items that are known by `[C, W]` vectors of their texts alone.

    The query speaks where texts are all that is known of any item. Elsewhere it asks for what is left of known items
    once their own popularity and repetitions are told; learning to ask for new ones as well made them worse.

    Args:
      model: A model with texts.
      inputs: Padded inputs.
      query: `[B, D]`, what the model returned for them as `item_query`.
      vectors: `[C, W]`.
      hidden: `[n]` ids of known items that are out of sight.
      training: As of `TextNeighbours`.
    """
    events = model.trajectory.events
    table = tf.cast(events.language().item_table.value[1:-1], tf.float32)
    if not model.settings.text.only:
        return model.neighbours(inputs, tf.stop_gradient(query), table, vectors, hidden, training=training)
    near = model.neighbours(inputs, query, table, vectors, hidden, training=training)
    return near + model.next_item.text_scores(query, events, vectors)


def score_items_signature(model: InterestModel, examples: tf.TensorSpec) -> list[tf.TensorSpec]:
    """Returns what `score_items` takes."""
    width = model.sizes.text_width
    return [
        examples,
        tf.TensorSpec([None, None, width], tf.float32, name=EVENT_VECTORS),
        tf.TensorSpec([None, width], tf.float32, name=ITEM_VECTORS),
    ]


def align_events(batch: Inputs, values: tf.Tensor) -> tf.Tensor:
    """Returns values of events as long as the histories of a batch.

    Args:
      batch: Padded inputs with E events.
      values: `[B, N]` or `[B, N, W]`, row n for event n of a history, from its oldest; more than E are left out.

    Returns:
      `[B, E]` or `[B, E, W]`, padded with 0.
    """
    length = tf.shape(batch[ITEM_IDS])[1]
    missing = tf.maximum(length - tf.shape(values)[1], 0)
    return tf.pad(values[:, :length], [[0, 0], [0, missing], *[[0, 0]] * (values.shape.rank - 2)])
