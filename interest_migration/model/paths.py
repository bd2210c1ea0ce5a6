"""The likeliest categories of the next steps: beam search through the model's own distribution of the next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.model.answers import best
from interest_migration.model.next_step import Typical, after_step
from interest_migration.model.raw_batch import RawBatch, Tensors
from schemas.signatures import (
    FORECAST_CATEGORY,
    FORECAST_PROBABILITY,
    MOVES,
    PATH_BEAM,
    PATH_CATEGORY,
    PATH_KINDS,
    PATH_PROBABILITY,
    PATH_STEP_PROBABILITY,
    PATH_STEPS,
    STEPS,
    TOP_K,
)

_NEVER: Final = -1e9
Scorer = Callable[[RawBatch], tuple[tf.Tensor, tf.Tensor]]
"""N raw examples -> `[N, V]` logits of the next category, and `[N]` int32 category of the newest step, 0 if none."""


def likely_paths(
    batch: RawBatch, score: Scorer, typical: Callable[[Any], Typical], names: Callable[[Any], Any]
) -> Tensors:
    """Returns what the signature `paths` returns.

    Args:
      batch: B raw examples.
      score: Scores the next category.
      typical: `[N]` category ids -> their typical events.
      names: Names of categories by id.
    """
    found: Tensors = {}
    logits, current = score(batch)
    kinds, size = len(PATH_KINDS), tf.shape(logits)[0]
    searched = _search(
        batch.repeated(kinds),
        tf.repeat(tf.nn.log_softmax(logits), kinds, axis=0),
        tf.repeat(current, kinds, axis=0),
        tf.tile([kind == MOVES for kind in PATH_KINDS], [size]),
        lambda states: score(states)[0],
        typical,
    )
    ids, logs = (tf.reshape(values, [size, kinds, PATH_BEAM, PATH_STEPS]) for values in searched[:2])
    totals = tf.reduce_sum(logs, axis=3)
    possible = totals > _NEVER / 2
    named = names(tf.where(possible[..., tf.newaxis], ids, 0))
    for place, kind in enumerate(PATH_KINDS):
        found[PATH_CATEGORY[kind]] = named[:, place]
        found[PATH_STEP_PROBABILITY[kind]] = tf.exp(logs[:, place])
        found[PATH_PROBABILITY[kind]] = tf.exp(totals[:, place])
    forecast = tf.reshape(searched[2], [size, kinds, PATH_STEPS, logits.shape[1]])[:, PATH_KINDS.index(STEPS)]
    ranked, chances = best(tf.reshape(forecast, [-1, logits.shape[1]]))
    shape = [size, PATH_STEPS, TOP_K]
    return found | {
        FORECAST_CATEGORY: tf.reshape(names(ranked), shape),
        FORECAST_PROBABILITY: tf.reshape(chances, shape),
    }


def _search(
    batch: RawBatch,
    first: tf.Tensor,
    current: tf.Tensor,
    moves: tf.Tensor,
    score: Callable[[RawBatch], tf.Tensor],
    typical: Callable[[Any], Typical],
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Searches; returns ids, their log-probabilities and forecasts.

    Ids and log-probabilities are `[B, PATH_BEAM, PATH_STEPS]`. Forecasts are `[B, PATH_STEPS, V]`: the distribution of
    each step, averaged over the paths that lead to it with their probabilities.

    Args:
      batch: B raw examples.
      first: `[B, V]` log-probabilities of the next category.
      current: `[B]` ids.
      moves: `[B]` bool, whether a path leaves the current category and stays in none: other categories then share
        their probability.
      score: Scores the next category.
      typical: Typical events.
    """
    size, categories = tf.shape(first)[0], first.shape[1]
    total = tf.tile(tf.constant([[0.0] + [_NEVER] * (PATH_BEAM - 1)]), [size, 1])
    seen = moves[:, tf.newaxis, tf.newaxis] & _marks(tf.repeat(current[:, tf.newaxis], PATH_BEAM, axis=1), categories)
    logs = tf.repeat(first[:, tf.newaxis], PATH_BEAM, axis=1)
    states = batch.repeated(PATH_BEAM)
    ids, taken = tf.zeros([size, PATH_BEAM, 0], tf.int32), tf.zeros([size, PATH_BEAM, 0])
    forecasts = []
    for step in range(PATH_STEPS):
        logs = tf.where(seen, _NEVER, tf.nn.log_softmax(tf.where(seen, _NEVER, logs)))
        forecasts.append(tf.einsum("bw,bwv->bv", tf.nn.softmax(total), tf.exp(logs)))
        flat = tf.reshape(logs, [size, -1])
        total, places = tf.math.top_k(tf.reshape(total[:, :, tf.newaxis] + logs, [size, -1]), PATH_BEAM)
        parent, chosen = places // categories, places % categories + 1
        ids = _extended(ids, parent, chosen)
        taken = _extended(taken, parent, tf.gather(flat, places, batch_dims=1))
        seen = tf.gather(seen, parent, batch_dims=1) | moves[:, tf.newaxis, tf.newaxis] & _marks(chosen, categories)
        if step + 1 < PATH_STEPS:
            rows = tf.reshape(parent + PATH_BEAM * tf.range(size)[:, tf.newaxis], [-1])
            states = after_step(states.taken(rows), typical(tf.reshape(chosen, [-1])))
            logs = tf.reshape(tf.nn.log_softmax(score(states)), [size, PATH_BEAM, categories])
    return ids, tf.where(total[..., tf.newaxis] > _NEVER / 2, taken, _NEVER), tf.stack(forecasts, axis=1)


def _extended(values: tf.Tensor, parent: tf.Tensor, new: tf.Tensor) -> tf.Tensor:
    """Appends `[B, W]` new values to the `[B, W, L]` values of their parents."""
    return tf.concat([tf.gather(values, parent, batch_dims=1), new[..., tf.newaxis]], axis=2)


def _marks(ids: tf.Tensor, categories: int) -> tf.Tensor:
    """`[B, W, V]` bool: column j is marked for id j + 1."""
    return tf.one_hot(ids - 1, categories, True, False, dtype=tf.bool)


def typical_items(attribute_ids: npt.NDArray[np.int32], categories: int) -> npt.NDArray[np.int32]:
    """Returns `[V + 2]` the most frequent item of each category id, 0 if none is known.

    Args:
      attribute_ids: `[I + 2, A]` attributes of items by id, most frequent items first; column 0 is the category.
      categories: V.
    """
    found = np.zeros(categories + 2, np.int32)
    items = np.arange(len(attribute_ids))[::-1]
    found[attribute_ids[items, 0]] = items
    found[[0, -1]] = 0
    return found


def typical_events(
    items: npt.NDArray[np.int32], attribute_ids: Any, names: Mapping[str, Callable[[Any], Any]]
) -> Callable[[Any], Typical]:
    """Returns the function from `[N]` category ids to their typical events.

    Args:
      items: What `typical_items` returned.
      attribute_ids: `[I + 2, 4]` category, parent, child and brand of items.
      names: Names by id of the vocabularies `category`, `item`, `parent`, `child`, `brand`.
    """

    def look_up(ids: Any) -> Typical:
        item = tf.gather(tf.constant(items), ids)
        described = tf.gather(attribute_ids, item)
        columns = {"parent": described[:, 1], "child": described[:, 2], "brand": described[:, 3]}
        return Typical(
            names["category"](ids),
            names["item"](item),
            **{name: names[name](column) for name, column in columns.items()},
        )

    return look_up
