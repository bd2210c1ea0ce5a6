"""The losses of the next item: a full softmax over few items, a sampled one over many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from interest_migration.model.losses import at_positions, log_sum_exp, set_losses
from interest_migration.model.sampled_softmax import OwnCandidates, draw_log_uniform, sampled_softmax_losses
from interest_migration.model.scatter import sum_by_id
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
    queries = tf.concat([outputs["item_query"][:, tf.newaxis], model.next_item(states[:, 1:])], axis=1)
    losses = _full if model.sizes.items <= model.settings.full_softmax_items else _sampled
    return losses(model, targets, outputs, queries)


def _full(
    model: InterestModel, targets: Targets, outputs: dict[str, Any], queries: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Scores every item at the cut and at those positions before that have a target; padding costs nothing."""
    head, gains, shown = model.next_item, outputs["item_gains"], outputs.get(SHOWN_ITEMS)
    ids = tf.range(1, head.size + 1)
    vectors, biases = head.vectors(ids, model.trajectory.events, shown), head.biases(ids, shown)
    at_cut = log_sum_exp(model.item_scores(outputs))
    has_target = sum_by_id(tf.ones_like(targets.position), targets.position, tf.shape(queries)[1])[:, 1:] > 0
    # The number of positions with a target is no static shape.
    if model.static_shapes:
        logits = tf.matmul(queries[:, 1:], vectors, transpose_b=True)
        before = tf.reduce_logsumexp(tf.cast(logits, tf.float32) + biases, axis=-1)
    else:
        rows = tf.where(has_target)
        logits = tf.matmul(tf.gather_nd(queries[:, 1:], rows), vectors, transpose_b=True)
        sums = log_sum_exp(tf.cast(logits, tf.float32) + biases)
        before = tf.scatter_nd(rows, sums, tf.shape(has_target, out_type=rows.dtype))
    normalizer = at_positions(tf.concat([at_cut[:, tf.newaxis], before], axis=1), targets)
    own = tf.gather(vectors, tf.maximum(targets.ids - 1, 0))
    target_logits = _dot(queries, own, targets) + tf.gather(biases, tf.maximum(targets.ids - 1, 0))
    target_logits += tf.where(targets.position == 0, gains.at(targets.ids), 0.0)
    return set_losses(target_logits, normalizer, targets)


def _dot(queries: tf.Tensor, vectors: tf.Tensor, targets: Targets) -> tf.Tensor:
    """`[B, M]` product of each target's vector and the query at its position."""
    own_query = tf.gather(queries, tf.minimum(targets.position, tf.shape(queries)[1] - 1), batch_dims=1)
    return tf.cast(tf.reduce_sum(own_query * vectors, axis=-1), tf.float32)


def _sampled(
    model: InterestModel, targets: Targets, outputs: dict[str, Any], queries: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Vectors and biases are looked up once for every distinct item of the batch."""
    size, head, gains = model.sizes.items, model.next_item, outputs["item_gains"]
    shown = outputs.get(SHOWN_ITEMS)
    sampled = draw_log_uniform(model.settings.sampled_items, size, tf.cast(model.seeds.next(), tf.int32))
    parts = [sampled, targets.ids, gains.ids]
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
    target_logits = _dot(queries, tf.gather(vectors, at_targets), targets) + tf.gather(biases, at_targets)
    target_logits += tf.where(targets.position == 0, gains.at(targets.ids), 0.0)
    own_logits = tf.gather(tf.matmul(queries[:, 0], vectors, transpose_b=True), at_own, batch_dims=1)
    own = OwnCandidates(gains.ids, tf.cast(own_logits, tf.float32) + tf.gather(biases, at_own) + gains.scores)
    return sampled_softmax_losses(sample_logits, sampled, target_logits, targets, size, own)
