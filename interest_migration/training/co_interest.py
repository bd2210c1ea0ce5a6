"""How much of a category a user's other categories let expect: item-item weights in closed form (EASE, Steck 2019)."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.model.pair_numbers import COUNTS, touch_counts

Numbers = npt.NDArray[np.float64]

RIDGE = 10_000.0
"""In examples: with fewer, weights stay near 0."""


class CoInterest:
    """Sums up profiles of training examples.

    Args:
      size: M, number of the most frequent categories that count.
    """

    def __init__(self, size: int) -> None:
        self._together = np.zeros([size, size])
        self._counts = np.zeros([size, len(COUNTS)])
        self._examples = 0

    def add(self, batch: dict[str, tf.Tensor]) -> None:
        """Adds a batch of padded inputs."""
        counts = touch_counts(batch, len(self._together)).numpy()
        logs = np.log1p(counts[..., 0])
        self._together += logs.T @ logs
        self._counts += counts.sum(axis=0, dtype=np.float64)
        self._examples += len(counts)

    @property
    def usual(self) -> Numbers:
        """`[M, len(COUNTS)]` mean counts of an example."""
        return self._counts / max(self._examples, 1)

    @property
    def weights(self) -> Numbers:
        """`[M, M]`: column c predicts log(1 + count) of category c from those of the others; diagonal 0."""
        return solve_ease(self._together, RIDGE)


def solve_ease(gram: Numbers, ridge: float) -> Numbers:
    """Returns the weights B that minimise |X - XB|^2 + ridge |B|^2 with a diagonal of 0, given X'X.

    Example:
      X'X = [[1, 1], [1, 1]], ridge 1 -> [[0, 0.5], [0.5, 0]].
    """
    inverse = np.linalg.inv(gram + ridge * np.eye(len(gram)))
    weights: Numbers = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights
