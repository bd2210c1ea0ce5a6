"""What followed what in the training log, for the graphs of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy import sparse

from interest_migration.baselines.histories import incidence, read_steps
from interest_migration.baselines.transitions import count_transitions
from interest_migration.errors import DataError
from interest_migration.evaluation.spaces import ragged_column
from interest_migration.ragged import Examples, read_examples
from schemas.features import (
    ACTION_IDS,
    CATEGORY_IDS,
    CUT_TIME,
    ITEM_IDS,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    STEP_INDEX,
    TRANSFORMED_FEATURES,
    USER,
    label_name,
)

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel
    from interest_migration.model.transition_graph import TransitionGraph

_LABELS = {ITEM_IDS: label_name(NEXT_ITEMS), CATEGORY_IDS: label_name(NEXT_CATEGORIES)}
_READ = {USER, CUT_TIME, STEP_INDEX, ACTION_IDS, *_LABELS, *_LABELS.values()}
TRANSITION_SPECS = tuple(spec for spec in TRANSFORMED_FEATURES if spec.name in _READ)
"""What counting transitions reads of transformed examples."""

_KEPT_PAIRS = 20_000_000

Integers = npt.NDArray[np.int32]


def fill_graphs(
    model: InterestModel, paths: Sequence[str], megabytes: int, hide: Callable[[Examples], Examples] = dict
) -> None:
    """Counts the transitions of the training examples into the graphs of a model.

    Args:
      model: A built model.
      paths: Gzip TFRecord files of transformed training examples.
      megabytes: How much of the files is read at once. Transitions are counted once among what is read together.
      hide: Takes labels that must not be read out of examples.
    """
    graphs = [(ITEM_IDS, graph) for graph in model.item_graphs]
    graphs += [(CATEGORY_IDS, graph) for graph in model.category_graphs]
    counts = [_nothing(graph.size) for _, graph in graphs]
    for group in _groups(paths, megabytes * 1_000_000):
        examples = hide(read_examples(group, TRANSITION_SPECS))
        for place, (feature, graph) in enumerate(graphs):
            counts[place] = _bounded(counts[place] + count_followers(examples, feature, graph), graph.neighbours)
    for (_, graph), found in zip(graphs, counts, strict=True):
        fill_graph(graph, found)


def fill_graph(graph: TransitionGraph, counts: sparse.csr_matrix) -> None:
    """Puts `[V, V]` counts into a graph."""
    degree = np.asarray(counts.sum(axis=1)).ravel()
    if graph.settings.both_ways:
        counts = (counts + counts.T).tocsr()
        degree = np.asarray(counts.sum(axis=1)).ravel() / 2
    shares = 1 / np.sqrt(np.maximum(degree, 1)) if graph.settings.cosine else np.ones(graph.size)
    scaled = sparse.diags(shares) @ counts @ sparse.diags(shares) if graph.settings.cosine else counts
    ids, _ = strongest(scaled.tocsr(), graph.neighbours)
    rows = np.arange(graph.size)[:, np.newaxis]
    values = counts[rows, np.maximum(ids - 1, 0)].toarray() * (ids > 0)
    graph.ids.assign(np.pad(ids, [[1, 1], [0, 0]]))
    graph.counts.assign(np.pad(values, [[1, 1], [0, 0]]))
    graph.shares.assign(np.pad(shares, [[1, 1]]))


def count_followers(examples: Examples, feature: str, graph: TransitionGraph) -> sparse.csr_matrix:
    """Returns `[V, V]`, how often b followed a within K steps; over k steps it weighs `decay ** (k - 1)`."""
    steps = read_steps(examples, feature)
    occurrences = incidence(steps.event_step, _values(examples, feature), (len(steps.example), graph.size))
    total = _nothing(graph.size)
    for distance in range(1, graph.steps + 1):
        try:
            found = count_transitions(examples, steps, occurrences, _LABELS[feature], distance)
        except DataError:  # no history is that long
            break
        total = total + found.counts * np.float32(graph.settings.decay ** (distance - 1))
    return total.tocsr()


def strongest(counts: sparse.csr_matrix, neighbours: int) -> tuple[Integers, npt.NDArray[np.float32]]:
    """Returns `[V, N]` ids (column + 1) and values of the largest entries of each row, largest first, padded with 0.

    Among equals the smaller id comes first.
    """
    size = counts.shape[0]
    row = np.repeat(np.arange(size), np.diff(counts.indptr))
    order = np.lexsort((counts.indices, -counts.data, row))
    place = np.arange(len(row)) - counts.indptr[row]
    keep = place < neighbours
    ids, values = np.zeros([size, neighbours], np.int32), np.zeros([size, neighbours], np.float32)
    ids[row[keep], place[keep]] = counts.indices[order][keep] + 1
    values[row[keep], place[keep]] = counts.data[order][keep]
    return ids, values


def _nothing(size: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((size, size), dtype=np.float32)


def _bounded(counts: sparse.csr_matrix, neighbours: int) -> sparse.csr_matrix:
    """Keeps a few times the strongest followers where there are too many pairs for memory."""
    if counts.nnz <= _KEPT_PAIRS:
        return counts
    ids, values = strongest(counts, 4 * neighbours)
    rows, places = np.nonzero(ids)
    return sparse.csr_matrix((values[rows, places], (rows, ids[rows, places] - 1)), shape=counts.shape)


def _values(examples: Examples, feature: str) -> npt.NDArray[Any]:
    values = ragged_column(examples, feature).values
    return values[values != 0]


def _groups(paths: Sequence[str], most_bytes: int) -> Iterator[list[str]]:
    group: list[str] = []
    total = 0
    for path in sorted(paths):
        size = tf.io.gfile.stat(path).length
        if group and total + size > most_bytes:
            yield group
            group, total = [], 0
        group.append(path)
        total += size
    yield group
