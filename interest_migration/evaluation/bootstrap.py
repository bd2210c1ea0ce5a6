"""Bootstrap over users: every metric is computed on the sample and on R resamples at once.

A metric returns its *draws*, `[1 + R]` float64: entry 0 on the sample itself, the others on resamples. Users are drawn
with replacement, so all examples of a user carry the same weight: the number of times the user was drawn (cluster
bootstrap; Efron & Tibshirani 1993, ch. 8, Field & Welsh 2007). Methods are compared on the same resamples (paired).

    users       a  a  b         weights of a [1, 2, 0], of b [1, 0, 2]   (column 0 is the sample, R = 2)
    values      0  1  1         mean: sample 2/3, resamples 2/4 and 2/2
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from interest_migration.errors import ContractError
from interest_migration.evaluation.spaces import Numbers

Draws = npt.NDArray[np.float64]

_BLOCK_CELLS = 4_000_000


@dataclass(frozen=True)
class Resamples:
    """Weights of N examples in the sample and its resamples.

    Attributes:
      clusters: `[N]` int64, the user (or group of users) of each example, 0..U - 1.
      weights: `[U, D]` float32 counts, D = 1 + R; column 0 is 1 throughout.
    """

    clusters: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]

    @classmethod
    def none(cls, examples: int) -> Self:
        """Returns the sample alone, without resamples."""
        return cls(np.arange(examples), np.ones((examples, 1), np.float32))

    @classmethod
    def draw(cls, users: Numbers, resamples: int, seed: int, maximum_clusters: int = 50_000) -> Self:
        """Draws users with replacement.

        Args:
          users: `[N]`, equal values are one user.
          resamples: R.
          seed: The same seed, users and R give the same weights.
          maximum_clusters: Bounds memory: with more users, the k-th joins group k modulo this, and groups are drawn.
        """
        distinct, clusters = np.unique(users, return_inverse=True)
        count = min(len(distinct), maximum_clusters)
        generator = np.random.default_rng(seed)
        weights = np.ones((count, 1 + resamples), np.float32)
        for column in range(1, 1 + resamples):
            weights[:, column] = np.bincount(generator.integers(count, size=count), minlength=count) if count else 0
        return cls(clusters.astype(np.int64) % max(count, 1), weights)

    def take(self, rows: npt.NDArray[np.generic]) -> Self:
        """Returns the weights of some examples (indices or mask), on the same resamples."""
        return replace(self, clusters=self.clusters[rows])

    def blocks(self, groups: int) -> Iterator[Self]:
        """Yields a few resamples at a time, so that `groups` sums for each stay within bounded memory."""
        width = max(1, _BLOCK_CELLS // max(groups, 1))
        for start in range(0, self.weights.shape[1], width):
            yield replace(self, weights=self.weights[:, start : start + width])

    def sum(self, values: Numbers) -> Draws:
        """Returns `[D]`, the weighted sum of `[N]` values."""
        sums = np.bincount(self.clusters, weights=values.astype(np.float64), minlength=len(self.weights))
        return np.asarray(sums @ self.weights, np.float64)

    def mean(self, values: Numbers) -> Draws:
        """Returns `[D]`, the weighted mean of the values that are not NaN; NaN where there are none."""
        defined = ~np.isnan(values)
        return divide(self.sum(np.where(defined, values, 0)), self.sum(defined))

    def group_sums(self, groups: Numbers, count: int, values: Numbers | None = None) -> Draws:
        """Returns `[count, D]`, the weighted sum of `[N]` values (1 if none are given) within each group."""
        if len(groups) != len(self.clusters):
            raise ContractError(f"expected {len(self.clusters)} group numbers, received {len(groups)}")
        data = np.ones(len(groups)) if values is None else values.astype(np.float64)
        shape = (count, len(self.weights))
        return np.asarray(sparse.csr_matrix((data, (groups, self.clusters)), shape=shape) @ self.weights, np.float64)


@dataclass(frozen=True)
class Interval:
    """A percentile interval; NaN where it is undefined."""

    low: float
    high: float


def percentile_interval(draws: Draws, confidence: float) -> Interval:
    """Returns the central interval of the resamples in `draws`; NaN if fewer than half of them are defined."""
    resamples = draws[1:]
    defined = resamples[~np.isnan(resamples)]
    if not len(defined) or 2 * len(defined) < len(resamples) or np.isnan(draws[0]):
        return Interval(np.nan, np.nan)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


@dataclass(frozen=True)
class Estimate:
    """A mean over examples and its interval over users; the bounds are None where they are undefined."""

    value: float
    low: float | None
    high: float | None


def estimate_mean(values: Numbers, resamples: Resamples, confidence: float = 0.95) -> Estimate:
    """Returns the mean of `[N]` values, those that are NaN left out."""
    draws = resamples.mean(values)
    interval = percentile_interval(draws, confidence)
    known = not np.isnan(interval.low)
    return Estimate(float(draws[0]), interval.low if known else None, interval.high if known else None)


def divide(numerator: Numbers, denominator: Numbers) -> Draws:
    """Divides element by element; NaN where the denominator is 0."""
    filled = np.full(np.broadcast_shapes(np.shape(numerator), np.shape(denominator)), np.nan)
    return np.divide(numerator, denominator, out=filled, where=denominator != 0)
