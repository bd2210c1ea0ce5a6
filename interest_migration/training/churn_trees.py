"""Fits the boosted trees that the model blends with its own churn scores."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from interest_migration.baselines.boosting import BoostedTrees
from interest_migration.model.churn_trees import DEPTH, Trees
from interest_migration.training.input import ExampleSource
from schemas.features import AGGREGATES, CHURN, HORIZONS, label_name

MOST_EXAMPLES: Final = 300_000
"""Trees of this size learn nothing more from more examples."""
FEWEST_OF_A_CLASS: Final = 50
_BATCH = 2_048
_LEARNING_RATE = 0.03


def fit_churn_trees(source: ExampleSource, trees: int, seed: int) -> list[Trees | None]:
    """Fits trees for every horizon, on the training examples whose label is known.

    Args:
      source: Training examples.
      trees: Number of trees of each horizon.
      seed: Of the columns that the nodes may look at.

    Returns:
      The trees by horizon; None where a class has too few examples.
    """
    aggregates, labels = _read(source)
    return [_fit(aggregates, labels[:, column], trees, seed) for column in range(len(HORIZONS))]


def _read(source: ExampleSource) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    names = [label_name(CHURN[horizon]) for horizon in HORIZONS]
    batches = source.batches(batch_size=_BATCH, most=MOST_EXAMPLES)
    parts = [(batch[AGGREGATES].numpy(), np.stack([batch[name] for name in names], axis=1)) for batch in batches]
    aggregates, labels = zip(*parts, strict=True)
    return np.concatenate(aggregates), np.concatenate(labels)


def _fit(aggregates: npt.NDArray[np.float32], labels: npt.NDArray[Any], trees: int, seed: int) -> Trees | None:
    if min(np.count_nonzero(labels == 0), np.count_nonzero(labels == 1)) < FEWEST_OF_A_CLASS:
        return None
    boosted = BoostedTrees(
        trees, _LEARNING_RATE, min_samples_leaf=50, seed=seed, leaves=2**DEPTH, depth=DEPTH, columns=0.3
    )
    known = labels >= 0
    boosted.fit(aggregates[known], labels[known])
    return pack(boosted.nodes(), boosted.base)


def pack(trees: Sequence[npt.NDArray[Any]], base: float) -> Trees:
    """Lays trees of any shape out as complete ones.

    Args:
      trees: One record array per tree, see `BoostedTrees.nodes`; no deeper than DEPTH.
      base: Score before any tree.

    Returns:
      The same trees. A leaf above the last level passes its value to all leaves below. Thresholds are rounded down to
      float32, so that no float32 value changes sides.
    """
    shape = (len(trees), 2**DEPTH - 1)
    column, threshold = np.zeros(shape, np.int32), np.full(shape, np.inf, np.float32)
    leaf = np.zeros((len(trees), 2**DEPTH), np.float32)
    for number, nodes in enumerate(trees):
        sources = np.zeros(1, np.int64)
        for level in range(DEPTH):
            here, inner = nodes[sources], np.flatnonzero(~nodes["is_leaf"][sources].astype(bool))
            places = 2**level - 1 + inner
            column[number, places] = here["feature_idx"][inner]
            threshold[number, places] = _round_down(here["num_threshold"][inner])
            children = np.stack([sources, sources], axis=1)
            children[inner] = np.stack([here["left"][inner], here["right"][inner]], axis=1)
            sources = children.ravel()
        leaf[number] = nodes["value"][sources]
    return Trees(column, threshold, leaf, base)


def _round_down(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    rounded = values.astype(np.float32)
    return np.where(rounded > values, np.nextafter(rounded, np.float32(-np.inf)), rounded)
