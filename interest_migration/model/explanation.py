"""Why the model answers as it does: what it would answer without single events, interests or numbers.

Occlusion (Zeiler & Fergus 2014; for text, Li et al. 2016) with recomputed features: an event is taken out of the
history and out of everything that is computed from it, so its contribution is the difference to the answer of the same
model for the same user had the event not happened. Contributions of events that stand in for each other are small one
by one; those of interests, all events of a category together, show what they do together. Neither adds up to the score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import tensorflow as tf

from interest_migration.model.raw_batch import RawBatch, Tensors
from interest_migration.model.task_measures import new_interest_shares
from interest_migration.model.visits_without import visiting
from interest_migration.model.without_events import touches, without
from schemas.features import (
    AGGREGATE_INPUTS,
    AGGREGATES,
    EVENT_ACTION,
    EVENT_AGE,
    EVENT_CATEGORY,
    EVENT_ITEM,
    HORIZONS,
    INTEREST_CATEGORY,
    RAW_FEATURES,
    WINDOW_DAYS,
    Shape,
)
from schemas.signatures import (
    EXPLAINED_CATEGORY,
    EXPLAINED_SCORE,
    EXPLAINED_TASK,
    EXPLAINED_TASKS,
    REASON_ACTION,
    REASON_AGE,
    REASON_CATEGORY,
    REASON_CONTRIBUTION,
    REASON_EVENT,
    REASON_INTEREST,
    REASON_INTEREST_CONTRIBUTION,
    REASON_ITEM,
    REASON_NUMBER,
    REASON_NUMBER_CONTRIBUTION,
    TOP_EVENTS,
)

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

EXPLAINED_EVENTS: Final = 64
"""Newest events that are tried."""
EXPLAINED_INTERESTS: Final = 32
"""Strongest interests that are tried."""
_SHAPES: Final = {spec.name: spec.shape for spec in RAW_FEATURES}


class Variants(NamedTuple):
    """V = 1 + events + interests + numbers variants of B examples; the first is the example itself.

    Attributes:
      batch: `[B, V]` raw examples.
      numbers: `[V, AGGREGATE_WIDTH]` float32, 0 for transformed aggregates that become the average.
      position: `[B, EXPLAINED_EVENTS]` int32, which event each of the events' variants lacks; negative for none.
      interests: Number of interests tried, a scalar.
    """

    batch: RawBatch
    numbers: tf.Tensor
    position: tf.Tensor
    interests: tf.Tensor


Scorer = Callable[[RawBatch, tf.Tensor], tuple[Tensors, Tensors]]
"""N raw examples and an `[N, AGGREGATE_WIDTH]` mask -> padded inputs and the model's outputs."""


def explain(
    model: InterestModel,
    batch: RawBatch,
    score: Scorer,
    names: Callable[[Any], tf.Tensor],
    actions: Sequence[str],
    churn_actions: Sequence[str],
) -> Tensors:
    """Returns what the signature `explain` returns.

    Args:
      model: The model.
      batch: B raw examples.
      score: Answers for raw examples.
      names: Names of categories by id.
      actions: Actions that show an interest.
      churn_actions: Actions that make a step a visit; without any, every step is one.
    """
    variants = make_variants(batch, actions, churn_actions)
    count = tf.shape(variants.numbers)[0]
    size = tf.shape(batch.kept)[0]
    inputs, outputs = score(variants.batch.flat(), tf.tile(variants.numbers, [size, 1]))
    scores, ids = _scores(model, inputs, outputs, count)
    lost = tf.transpose(scores[:, :1] - scores[:, 1:], [0, 2, 1])  # [B, T, V - 1]
    events, interests, numbers = tf.split(lost, [EXPLAINED_EVENTS, variants.interests, len(AGGREGATE_INPUTS)], axis=2)
    return {
        EXPLAINED_TASK: tf.tile(tf.constant([EXPLAINED_TASKS]), [size, 1]),
        EXPLAINED_CATEGORY: names(ids),
        EXPLAINED_SCORE: scores[:, 0],
        **_event_reasons(batch, events, variants.position),
        **_interest_reasons(batch, interests),
        **_number_reasons(numbers),
    }


def make_variants(batch: RawBatch, actions: Sequence[str], churn_actions: Sequence[str]) -> Variants:
    """Returns the examples without each of their newest events, strongest interests and numbers."""
    touched = touches(batch, actions)
    size, length = tf.shape(batch.kept)[0], tf.shape(batch.kept)[1]
    interests = tf.minimum(tf.shape(batch.rows)[1], EXPLAINED_INTERESTS)
    listed = tf.reduce_sum(tf.cast(batch.kept, tf.int32), axis=1, keepdims=True)
    position = listed - 1 - tf.range(EXPLAINED_EVENTS)[tf.newaxis]
    single = position[:, :, tf.newaxis] == tf.range(length)
    gone = tf.concat([_none(size, 1, length), single, touched[:, :interests], _none(size, _NUMBERS, length)], axis=1)
    rows = tf.shape(batch.rows)[1]
    forgotten = tf.one_hot(tf.range(interests), rows, on_value=True, off_value=False, dtype=tf.bool)
    forgotten = tf.concat(
        [
            _none(1, 1 + EXPLAINED_EVENTS, rows),
            forgotten[tf.newaxis],
            _none(1, _NUMBERS, rows),
        ],
        axis=1,
    )
    forgotten = tf.broadcast_to(forgotten, [size, tf.shape(gone)[1], rows])
    numbers = tf.concat([tf.ones([1 + EXPLAINED_EVENTS + interests, _MASKS.shape[1]]), _MASKS], axis=0)
    return Variants(
        without(batch, gone, forgotten, touched, visiting(batch, churn_actions)), numbers, position, interests
    )


def _number_masks() -> list[list[float]]:
    """A row for each of AGGREGATE_INPUTS with 0 in its own columns."""
    owners = [
        name for name in AGGREGATE_INPUTS for _ in range(len(WINDOW_DAYS) if _SHAPES[name] is Shape.WINDOWS else 1)
    ]
    return [[float(owner != name) for owner in owners] for name in AGGREGATE_INPUTS]


_NUMBERS: Final = len(AGGREGATE_INPUTS)
_MASKS: Final = np.array(_number_masks(), np.float32)


def _none(size: Any, variants: int, length: Any) -> tf.Tensor:
    return tf.zeros([size, variants, length], tf.bool)


def _scores(
    model: InterestModel, inputs: Tensors, outputs: Tensors, variants: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """`[B, V, T]` scores of what is ranked first, and `[B, T]` int32 ids of it, 0 for churn."""
    ranked = {"next_category": tf.nn.softmax(outputs["next_category"])}
    for horizon in HORIZONS:
        ranked[f"propensity_{horizon}"] = tf.sigmoid(outputs[f"propensity_{horizon}"])
        ranked[f"new_interest_{horizon}"] = new_interest_shares(model, inputs, outputs, horizon)
    scores, ids = [], []
    for task in EXPLAINED_TASKS:
        if task not in ranked:
            scores.append(tf.reshape(tf.sigmoid(outputs[task]), [-1, variants]))
            ids.append(tf.zeros_like(scores[-1][:, 0], tf.int32))
            continue
        values = tf.reshape(ranked[task], [-1, variants, model.sizes.categories])
        best = tf.argmax(values[:, 0], axis=1, output_type=tf.int32)
        scores.append(tf.gather(tf.transpose(values, [0, 2, 1]), best, batch_dims=1))
        ids.append(best + 1)
    return tf.stack(scores, axis=2), tf.stack(ids, axis=1)


def _event_reasons(batch: RawBatch, lost: tf.Tensor, position: tf.Tensor) -> Tensors:
    """Ranks `[B, T, EXPLAINED_EVENTS]` contributions."""
    there = position[:, tf.newaxis] >= 0
    chosen = tf.math.top_k(tf.where(there, tf.abs(lost), -1.0), TOP_EVENTS)
    known = chosen.values >= 0
    index = tf.gather(tf.broadcast_to(position[:, tf.newaxis], tf.shape(lost)), chosen.indices, batch_dims=2)
    found = {
        REASON_EVENT: tf.where(known, index, -1),
        REASON_CONTRIBUTION: tf.where(known, tf.gather(lost, chosen.indices, batch_dims=2), 0.0),
    }
    sources = {
        REASON_CATEGORY: EVENT_CATEGORY,
        REASON_ITEM: EVENT_ITEM,
        REASON_ACTION: EVENT_ACTION,
        REASON_AGE: EVENT_AGE,
    }
    for name, feature in sources.items():
        padded = tf.pad(batch.events[feature], [[0, 0], [0, 1]])
        values = tf.gather(padded, tf.maximum(index, 0), batch_dims=1)
        found[name] = tf.where(known, values, tf.zeros_like(values))
    return found


def _interest_reasons(batch: RawBatch, lost: tf.Tensor) -> Tensors:
    """Ranks `[B, T, interests]` contributions of the first rows of the profile."""
    padding = [[0, 0], [0, 0], [0, TOP_EVENTS]]
    rows = tf.pad(batch.rows[:, : tf.shape(lost)[2]], [[0, 0], [0, TOP_EVENTS]])[:, tf.newaxis]
    lost = tf.pad(lost, padding)
    chosen = tf.math.top_k(tf.where(rows, tf.abs(lost), -1.0), TOP_EVENTS)
    known = chosen.values >= 0
    names = tf.pad(batch.interests[INTEREST_CATEGORY], [[0, 0], [0, TOP_EVENTS]])
    found = tf.gather(names, chosen.indices, batch_dims=1)
    return {
        REASON_INTEREST: tf.where(known, found, ""),
        REASON_INTEREST_CONTRIBUTION: tf.where(known, tf.gather(lost, chosen.indices, batch_dims=2), 0.0),
    }


def _number_reasons(lost: tf.Tensor) -> Tensors:
    order = tf.argsort(tf.abs(lost), axis=-1, direction="DESCENDING", stable=True)
    return {
        REASON_NUMBER: tf.gather(tf.constant(AGGREGATE_INPUTS), order),
        REASON_NUMBER_CONTRIBUTION: tf.gather(lost, order, batch_dims=2),
    }


def with_average(inputs: Tensors, mask: tf.Tensor) -> Tensors:
    """Returns transformed inputs with the average, 0, in place of aggregates whose mask is 0."""
    return inputs | {AGGREGATES: inputs[AGGREGATES] * mask}
