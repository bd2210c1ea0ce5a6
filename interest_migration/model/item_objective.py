"""The losses of the next item: a full softmax over few items, a sampled one over many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from interest_migration.model.losses import full_softmax_losses
from interest_migration.model.sampled_softmax import OwnCandidates, draw_log_uniform, sampled_softmax_losses
from interest_migration.model.targets import Targets
from interest_migration.model.text_inputs import SHOWN_ITEMS

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel


def item_losses(
    model: InterestModel, targets: Targets, outputs: dict[str, Any], states: Any
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the loss at the cut and the mean loss at the positions before.

    Args:
      model: The model.
      targets: Next items.
      outputs: What the model returned for the batch.
      states: `[B, L, D]` of the newest positions, newest first.
    """
    size, head, tables = model.sizes.items, model.next_item, model.trajectory.events
    before, shown = head(states[:, 1:]), outputs.get(SHOWN_ITEMS)
    if size <= model.settings.full_softmax_items:
        at_cut = model.item_scores(outputs)[:, tf.newaxis]
        return full_softmax_losses(tf.concat([at_cut, head.scores(before, tables, shown)], axis=1), targets)
    return _sampled(model, targets, outputs, tf.concat([outputs["item_query"][:, tf.newaxis], before], axis=1))


def _sampled(
    model: InterestModel, targets: Targets, outputs: dict[str, Any], queries: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Vectors and biases are looked up once for every distinct item of the batch."""
    size, head, repeats = model.sizes.items, model.next_item, outputs["repeats"]
    shown = outputs.get(SHOWN_ITEMS)
    sampled = draw_log_uniform(model.settings.sampled_items, size, tf.cast(model.seeds.next(), tf.int32))
    parts = [sampled, targets.ids, repeats.ids]
    ids = tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0)
    # The number of distinct items is no static shape.
    distinct, places = (ids, tf.range(tf.size(ids))) if model.static_shapes else tf.unique(ids)
    vectors, biases = head.vectors(distinct, model.trajectory.events, shown), head.biases(distinct, shown)
    at_sampled, at_targets, at_own = (
        tf.reshape(place, tf.shape(part))
        for place, part in zip(tf.split(places, [tf.size(part) for part in parts]), parts, strict=True)
    )
    sample_logits = tf.matmul(queries, tf.gather(vectors, at_sampled), transpose_b=True)
    sample_logits = tf.cast(sample_logits, tf.float32) + tf.gather(biases, at_sampled)
    own_query = tf.gather(queries, tf.minimum(targets.position, tf.shape(queries)[1] - 1), batch_dims=1)
    target_logits = tf.reduce_sum(own_query * tf.gather(vectors, at_targets), axis=-1)
    target_logits = tf.cast(target_logits, tf.float32) + tf.gather(biases, at_targets)
    target_logits += tf.where(targets.position == 0, repeats.at(targets.ids), 0.0)
    own_logits = tf.gather(tf.matmul(queries[:, 0], vectors, transpose_b=True), at_own, batch_dims=1)
    own = OwnCandidates(repeats.ids, tf.cast(own_logits, tf.float32) + tf.gather(biases, at_own) + repeats.scores)
    return sampled_softmax_losses(sample_logits, sampled, target_logits, targets, size, own)
