"""Scores, labels and weights of every task for a batch: one definition for validation and for the exported model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import tensorflow as tf

from interest_migration.model.measures import has_both, hit_at, ndcg_at, reciprocal_rank, user_auc
from interest_migration.model.scatter import members
from schemas.features import (
    CHURN,
    FUTURE_CATEGORIES,
    HORIZON_OBSERVED,
    HORIZONS,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    label_name,
)
from schemas.signatures import NEXT_CATEGORY_PREDICTED, RANKING_TASKS, label_key, measure_name, weight_key

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

Tensors = dict[str, Any]


class Ranking(NamedTuple):
    """One ranking task of a batch.

    Attributes:
      scores: `[B, V]` float32; the lowest number where a column is no candidate.
      positives: `[B, V]` bool.
      candidates: `[B, V]` bool.
      known: `[B]` bool, whether the labels are known.
    """

    scores: tf.Tensor
    positives: tf.Tensor
    candidates: tf.Tensor
    known: tf.Tensor


def task_measures(model: InterestModel, batch: Tensors, outputs: Tensors) -> Tensors:
    """Returns what the signature `evaluate` returns.

    Args:
      model: The model.
      batch: Padded inputs and labels.
      outputs: What the model returned for the batch.

    Returns:
      Output name -> `[B]` float32.
    """
    values = {f"churn_{horizon}": tf.sigmoid(outputs[f"churn_{horizon}"]) for horizon in HORIZONS}
    for task, ranking in rankings(model, batch, outputs).items():
        for measure in RANKING_TASKS[task]:
            values[measure_name(task, measure)] = _measure(measure, ranking)
    return values | {NEXT_CATEGORY_PREDICTED: tf.cast(_predicted(outputs), tf.float32)}


def task_labels(model: InterestModel, batch: Tensors, outputs: Tensors) -> Tensors:
    """Returns what the signature `evaluation_labels` returns; arguments as for `task_measures`.

    The label of a ranking task other than the next category is 1, the best value of its measures.
    """
    values = {}
    for horizon in HORIZONS:
        label = batch[label_name(CHURN[horizon])]
        values[label_key(f"churn_{horizon}")] = tf.cast(label == 1, tf.float32)
        values[weight_key(f"churn_{horizon}")] = tf.cast((label == 0) | (label == 1), tf.float32)
    for task, ranking in rankings(model, batch, outputs).items():
        weight = tf.cast(ranking.known & has_both(ranking.positives, ranking.candidates), tf.float32)
        values[weight_key(task)], values[label_key(task)] = weight, weight
    true_id = _true_category(batch, outputs, model.sizes.categories)
    values[label_key("next_category")] = true_id * values[weight_key("next_category")]
    return values


def rankings(model: InterestModel, batch: Tensors, outputs: Tensors) -> dict[str, Ranking]:
    """Returns every ranking task; arguments as for `task_measures`."""
    always = tf.ones_like(batch[label_name(HORIZON_OBSERVED[HORIZONS[0]])], tf.bool)
    found = {
        "next_category": _ranking(outputs["next_category"], batch[label_name(NEXT_CATEGORIES)], always),
        "next_item": _ranking(model.item_scores(outputs), batch[label_name(NEXT_ITEMS)], always),
    }
    fresh = model.fresh(batch)
    for horizon in HORIZONS:
        observed = batch[label_name(HORIZON_OBSERVED[horizon])] == 1
        found[f"propensity_{horizon}"] = _ranking(
            outputs[f"propensity_{horizon}"], batch[label_name(FUTURE_CATEGORIES[horizon])], observed
        )
        ranking = _ranking(outputs[f"new_interest_{horizon}"], batch[label_name(NEW_CATEGORIES[horizon])], observed)
        scores = tf.where(fresh, ranking.scores, tf.float32.min)
        found[f"new_interest_{horizon}"] = Ranking(scores, ranking.positives & fresh, fresh, observed)
    return found


def new_interest_shares(model: InterestModel, batch: Tensors, outputs: Tensors, horizon: str) -> tf.Tensor:
    """`[B, V]` share of each candidate among the new interests to come; 0 for others, and rows sum up to 1."""
    logits = tf.where(model.fresh(batch), outputs[f"new_interest_{horizon}"], tf.float32.min)
    return tf.nn.softmax(logits)


def _ranking(scores: tf.Tensor, label_ids: tf.Tensor, known: tf.Tensor) -> Ranking:
    scores = tf.cast(scores, tf.float32)
    return Ranking(scores, members(label_ids, scores.shape[1]), tf.ones_like(scores, tf.bool), known)


def _measure(measure: str, ranking: Ranking) -> tf.Tensor:
    if measure == "user_auc":
        return user_auc(ranking.scores, ranking.positives, ranking.candidates)
    if measure == "reciprocal_rank":
        return reciprocal_rank(ranking.scores, ranking.positives)
    name, k = measure.rsplit("_at_", 1)
    return {"hit": hit_at, "ndcg": ndcg_at}[name](ranking.scores, ranking.positives, int(k))


def _predicted(outputs: Tensors) -> tf.Tensor:
    """`[B]` int32, id of the category ranked first."""
    return tf.argmax(outputs["next_category"], axis=1, output_type=tf.int32) + 1


def _true_category(batch: Tensors, outputs: Tensors, size: int) -> tf.Tensor:
    """`[B]` float32: the predicted id if it is among the true ones, else the smallest true id."""
    positives = members(batch[label_name(NEXT_CATEGORIES)], size)
    predicted = _predicted(outputs)
    right = tf.gather(positives, predicted - 1, batch_dims=1)
    smallest = tf.argmax(tf.cast(positives, tf.int32), axis=1, output_type=tf.int32) + 1
    return tf.cast(tf.where(right, predicted, smallest), tf.float32)
