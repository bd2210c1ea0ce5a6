"""Ranks candidates by a model's reading of texts and by other methods, on the same examples."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.evaluation.bootstrap import Draws, Estimate, Resamples, estimate_mean
from interest_migration.evaluation.ranking import hit_at, ndcg_at, rank_labels
from interest_migration.evaluation.spaces import Numbers, ragged_column, take_examples, take_rows
from interest_migration.model.inputs import INPUT_SPECS, pad
from interest_migration.model.interest_model import InterestModel
from interest_migration.model.text_inputs import score_by_text
from interest_migration.ragged import Examples, Ragged
from schemas.features import ITEM_IDS

_BLOCK: Final = 128

Method = Callable[[int, int], Numbers]
"""From a first example and the one after the last to `[n, C]` scores."""

Measured = Mapping[str, Estimate]


@dataclass(frozen=True)
class Ranked:
    """What an experiment found.

    Attributes:
      candidates: Number of items that are ranked.
      examples: Number of examples that ask for one of them.
      users: Number of their users.
      methods: Method -> measure -> mean over examples.
      differences: The same of the method `text` less each other one.
    """

    candidates: int
    examples: int
    users: int
    methods: Mapping[str, Measured]
    differences: Mapping[str, Measured]


def compare_methods(
    methods: Mapping[str, Method], right: Ragged, chosen: str, resamples: Resamples
) -> tuple[dict[str, Measured], dict[str, Measured]]:
    """Measures methods on the same examples, in blocks.

    Args:
      methods: Name -> method.
      right: N rows of columns.
      chosen: The method that the others are compared with.
      resamples: Of the N examples.

    Returns:
      Name -> measure -> mean, and the same of the chosen method less each other one, on the same resamples.
    """
    values = {name: _measure(method, right) for name, method in methods.items()}
    own = values[chosen]
    others = {name: {key: own[key] - found[key] for key in own} for name, found in values.items() if name != chosen}
    return _estimate(values, resamples), _estimate(others, resamples)


def _estimate(values: Mapping[str, Mapping[str, Draws]], resamples: Resamples) -> dict[str, Measured]:
    return {
        name: {key: estimate_mean(column, resamples) for key, column in found.items()} for name, found in values.items()
    }


def _measure(method: Method, right: Ragged) -> dict[str, Draws]:
    parts = []
    for start in range(0, len(right), _BLOCK):
        stop = min(start + _BLOCK, len(right))
        ranks = rank_labels(method(start, stop), take_rows(right, np.arange(start, stop)), depth=10)
        parts.append((hit_at(ranks, 10), ndcg_at(ranks, 10)))
    hits, gains = (np.concatenate(column) for column in zip(*parts, strict=True))
    return {"hr_at_10": hits, "ndcg_at_10": gains}


def by_query(score: Callable[[dict[str, Any]], tf.Tensor], examples: Examples) -> Method:
    """Returns the method that scores batches of padded inputs."""
    return lambda start, stop: score(padded(take_examples(examples, np.arange(start, stop)))).numpy()


def by_text(model: InterestModel, examples: Examples, candidates: Numbers, events: Numbers | None = None) -> Method:
    """Returns the method that asks the signature `score_items`, for every different text once.

    Args:
      model: A model with texts.
      examples: N examples with the ids of the model.
      candidates: `[C, W]` vectors of texts.
      events: `[E, W]` vectors of all events of the N examples; by default the model knows them all.
    """
    texts, places = np.unique(candidates, axis=0, return_inverse=True)
    vectors, offsets = tf.constant(texts, tf.float32), ragged_column(examples, ITEM_IDS).offsets

    @tf.function(reduce_retracing=True, autograph=False)
    def score(batch: dict[str, Any], read: tf.Tensor) -> tf.Tensor:
        return score_by_text(model, batch, read, vectors)

    def method(start: int, stop: int) -> Numbers:
        batch = padded(take_examples(examples, np.arange(start, stop)))
        read = np.zeros((stop - start, 0, texts.shape[1]), np.float32)
        if events is not None:
            part = events[offsets[start] : offsets[stop]].astype(np.float32)
            read = tf.RaggedTensor.from_row_splits(part, offsets[start : stop + 1] - offsets[start]).to_tensor()
        return score(batch, read).numpy()[:, places]

    return method


def constant(scores: Numbers) -> Method:
    """Returns the method that gives every example `[C]` the same scores."""
    return lambda start, stop: np.broadcast_to(scores, (stop - start, len(scores)))


def rows_of(scores: npt.NDArray[np.float64]) -> Method:
    """Returns the method that has its `[N, C]` scores at hand."""
    return lambda start, stop: scores[start:stop]


def padded(examples: Examples) -> dict[str, Any]:
    """Returns examples as inputs of the model."""
    return pad({spec.name: _tensor(examples[spec.name]) for spec in INPUT_SPECS}, INPUT_SPECS)


def _tensor(column: Any) -> Any:
    if isinstance(column, Ragged):
        return tf.RaggedTensor.from_row_splits(column.values, column.offsets)
    return tf.constant(column)
