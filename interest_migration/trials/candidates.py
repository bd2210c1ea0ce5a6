"""How well methods rank a few candidate items, of which one or more are right."""

from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.bootstrap import Resamples, percentile_interval

DEPTH = 10
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """A mean over examples and its 95 % interval over users."""

    value: float
    low: float
    high: float


def rank_measures(scores: Numbers, right: npt.NDArray[np.bool_], seed: int = 0) -> tuple[Numbers, Numbers]:
    """Measures rankings; equal scores are ordered at random.

    Args:
      scores: `[N, C]`, higher is better.
      right: `[N, C]` whether a candidate is right; at least one is.
      seed: Of the order of equal scores.

    Returns:
      `[N]` HR@10, whether a right candidate is among the first ten, and `[N]` NDCG@10.
    """
    noise = np.random.default_rng(seed).random(scores.shape)
    order = np.lexsort((noise, -scores), axis=1)[:, :DEPTH]
    found = np.take_along_axis(right, order, axis=1)
    discounts = 1 / np.log2(np.arange(2, 2 + found.shape[1]))
    ideal = np.cumsum(discounts)[np.minimum(right.sum(axis=1), found.shape[1]) - 1]
    return np.asarray(found.any(axis=1), np.float64), np.asarray(found @ discounts / ideal, np.float64)


def chance_measures(right: npt.NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Returns what `rank_measures` gives on average for scores that say nothing."""
    candidates = right.shape[1]
    depth = min(DEPTH, candidates)
    counts = right.sum(axis=1)
    missed = [comb(candidates - int(count), depth) / comb(candidates, depth) for count in counts]
    discounts = 1 / np.log2(np.arange(2, 2 + depth))
    ideal = np.cumsum(discounts)[np.minimum(counts, depth) - 1]
    return 1 - np.array(missed), counts * discounts.sum() / candidates / ideal


def summarise(values: Numbers, users: npt.NDArray[np.generic], resamples: int, seed: int) -> Measured:
    """Returns the mean of `[N]` values and its interval; users are drawn with replacement."""
    draws = Resamples.draw(users, resamples, seed).mean(values)
    interval = percentile_interval(draws, 0.95)
    return Measured(float(draws[0]), interval.low, interval.high)
