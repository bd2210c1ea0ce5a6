"""What a served model answers, from the logits of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from interest_migration.model.names import Names
from interest_migration.model.profile_features import in_newest_step
from interest_migration.model.scatter import sum_by_id
from interest_migration.model.task_measures import new_interest_shares
from schemas.features import CATEGORY_IDS, HORIZONS, STEP_INDEX
from schemas.signatures import (
    CHURN_PROBABILITY,
    CURRENT_CATEGORY,
    INTEREST,
    INTEREST_PROBABILITY,
    NEW_INTEREST,
    NEW_INTEREST_SHARE,
    NEXT_CATEGORY,
    NEXT_CATEGORY_PROBABILITY,
    NEXT_ITEM,
    NEXT_ITEM_SCORE,
    SWITCH_PROBABILITY,
    TOP_K,
    USER_EMBEDDING,
)

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

Tensors = dict[str, Any]


def answer(
    model: InterestModel,
    batch: Tensors,
    outputs: Tensors,
    categories: Names,
    items: Names,
    item_vectors: tf.Tensor | None = None,
) -> Tensors:
    """Returns what the signature `serving_default` returns.

    Args:
      model: The model.
      batch: Padded inputs.
      outputs: What the model returned for the batch.
      categories: Names of the categories.
      items: Names of the items.
      item_vectors: What `model.item_vectors` returned, if it is at hand.

    Returns:
      Output name -> `[B]`, `[B, TOP_K]` or `[B, D]`.
    """
    found: Tensors = {
        CURRENT_CATEGORY: categories(current_category(batch, model)),
        SWITCH_PROBABILITY: tf.sigmoid(outputs["switch"]),
        USER_EMBEDDING: outputs["user"],
    }
    ids, found[NEXT_CATEGORY_PROBABILITY] = best(tf.nn.softmax(outputs["next_category"]))
    found[NEXT_CATEGORY] = categories(ids)
    ids, found[NEXT_ITEM_SCORE] = best(model.item_scores(outputs, item_vectors))
    found[NEXT_ITEM] = items(ids)
    for horizon in HORIZONS:
        ids, found[INTEREST_PROBABILITY[horizon]] = best(tf.sigmoid(outputs[f"propensity_{horizon}"]))
        found[INTEREST[horizon]] = categories(ids)
        ids, shares = best(new_interest_shares(model, batch, outputs, horizon))
        found[NEW_INTEREST[horizon]] = categories(tf.where(shares > 0, ids, 0))
        found[NEW_INTEREST_SHARE[horizon]] = shares
        found[CHURN_PROBABILITY[horizon]] = tf.sigmoid(outputs[f"churn_{horizon}"])
    return found


def best(scores: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns ids and scores of the `TOP_K` best columns, padded with 0 where there are fewer columns.

    Args:
      scores: `[B, V]`; column j stands for id j + 1.

    Returns:
      `[B, TOP_K]` int32 ids and `[B, TOP_K]` scores, best first.
    """
    length = min(TOP_K, scores.shape[1])
    top = tf.math.top_k(scores, length)
    padding = [[0, 0], [0, TOP_K - length]]
    return tf.pad(top.indices + 1, padding), tf.pad(top.values, padding)


def current_category(batch: Tensors, model: InterestModel) -> tf.Tensor:
    """Returns the most frequent category of the newest step that has any; among equals the smaller id; else 0.

    Args:
      batch: Padded inputs.
      model: The model.

    Returns:
      `[B]` int32.
    """
    ids = batch[CATEGORY_IDS]
    marks = tf.cast(in_newest_step(ids, batch[STEP_INDEX]), tf.int32)
    counts = sum_by_id(marks, ids - 1, model.sizes.categories)
    first = tf.argmax(counts, axis=1, output_type=tf.int32) + 1
    return tf.where(tf.reduce_any(counts > 0, axis=1), first, 0)
