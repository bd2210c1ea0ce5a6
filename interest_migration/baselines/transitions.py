"""Transition counts between steps, each real transition counted once per user.

A transition leads from the step before to the step after; between sets, every id of the one leads to every id of the
other:

    steps {1, 2}, {3}, next step {1}   ->   1 > 3, 2 > 3, 3 > 1
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from interest_migration.baselines.histories import Steps, count_covered_steps, incidence
from interest_migration.errors import DataError
from interest_migration.evaluation.spaces import ragged_column
from interest_migration.ragged import Examples


@dataclass(frozen=True)
class Transitions:
    """Counts of transitions.

    Attributes:
      counts: `[V, V]` sparse, how often column b followed column a.
      sources: `[V]`, how many transitions start in a step that holds a.
      targets: `[V]`, how many end in a step that holds b.
    """

    counts: sparse.csr_matrix
    sources: npt.NDArray[np.float32]
    targets: npt.NDArray[np.float32]

    @property
    def probabilities(self) -> sparse.csr_matrix:
        """`[V, V]`, share of the transitions from a that led to b."""
        return sparse.diags(1 / np.maximum(self.sources, 1)) @ self.counts

    @property
    def popularity(self) -> npt.NDArray[np.float32]:
        """`[V]` in [0, 1], how often b was reached, relative to the most frequent one."""
        return self.targets / max(float(self.targets.max(initial=0)), 1)


def count_transitions(
    train: Examples, steps: Steps, occurrences: sparse.csr_matrix, label: str, distance: int = 1
) -> Transitions:
    """Counts transitions inside histories and from the newest steps to the label.

    Of a user's examples, the newest counts whole; an older one adds only what lies before the later history begins.

    Args:
      train: Training examples.
      steps: Their histories.
      occurrences: `[S, V]`, what each step holds.
      label: Column with the ids of the next step.
      distance: How many steps lie from a source to its target; 1 for consecutive ones.

    Raises:
      DataError: If there is no transition.
    """
    covered = count_covered_steps(train, steps)
    inner = np.flatnonzero((steps.back >= distance) & (steps.back >= covered[steps.example]))
    next_ids = ragged_column(train, label)
    enough = steps.end - steps.first >= distance
    labelled = np.flatnonzero((next_ids.lengths > 0) & enough & (covered < distance))
    if not len(inner) and not len(labelled):
        raise DataError("expected training histories of at least two steps or known next steps, received none")
    following = incidence(next_ids.row_ids, next_ids.values, (len(next_ids), occurrences.shape[1]))
    source = sparse.vstack([occurrences[inner], occurrences[steps.end[labelled] - distance]], format="csr")
    target = sparse.vstack([occurrences[inner + distance], following[labelled]], format="csr")
    return Transitions((source.T @ target).tocsr(), _sums(source), _sums(target))


def _sums(matrix: sparse.csr_matrix) -> npt.NDArray[np.float32]:
    return np.asarray(matrix.sum(axis=0), np.float32).ravel()
