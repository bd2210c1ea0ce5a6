"""How far two distributions are apart, and how far chance alone would put them.

Two samples of one and the same distribution are never equal: the smaller the samples and the more values there are, the
further apart they lie. What chance gives is simulated: pairs of samples of the two sizes are drawn from the pooled
shares, and their distances are summed up by a gamma distribution of the same mean and variance, which is what a sum of
squared, nearly normal differences follows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import stats

from interest_migration.data_gate.distributions import Aligned, Floats, merge_rare

DRAWS: Final = 200
"""Pairs of samples that are drawn; two moments are estimated from them."""

_SEED: Final = 20_240_131
_MOVED: Final = 3

MeasureName = Literal["jensen_shannon", "l_infinity"]


@dataclass(frozen=True)
class Distance:
    """Distance of two distributions.

    Attributes:
      value: The distance.
      by_chance: What chance alone gives on average.
      p_value: Probability that chance alone gives as much.
      moved: The values whose shares changed most: (value, share before, share now).
    """

    value: float
    by_chance: float
    p_value: float
    moved: tuple[tuple[str, float, float], ...]

    @property
    def beyond_chance(self) -> float:
        """The distance less what chance gives, at least 0."""
        return max(0.0, self.value - self.by_chance)


def measure(pair: Aligned, name: MeasureName) -> Distance:
    """Measures two aligned distributions, rare values put together.

    Args:
      pair: Shares and sizes.
      name: Which distance.
    """
    function, cells = _MEASURES[name], merge_rare(pair)
    value = float(function(cells.before, cells.now))
    chance = function(*_draw(cells))
    mean, variance = float(chance.mean()), float(chance.var())
    if variance <= 0 or mean <= 0:
        p_value = 1.0 if value <= mean else 0.0
    else:
        p_value = float(stats.gamma.sf(value, mean**2 / variance, scale=variance / mean))
    return Distance(value, mean, p_value, _moved(pair))


def jensen_shannon(before: Floats, now: Floats) -> Floats:
    """Returns the Jensen-Shannon divergence in bits over the last axis.

    Example:
      [1, 0], [0, 1] -> 1; [0.5, 0.5], [1, 0] -> 0.3113.
    """
    middle = (before + now) / 2
    return np.maximum((_relative(before, middle) + _relative(now, middle)) / 2, 0)


def l_infinity(before: Floats, now: Floats) -> Floats:
    """Returns the largest change of a share over the last axis.

    Example:
      [0.5, 0.3, 0.2], [0.5, 0.1, 0.4] -> 0.2.
    """
    return np.abs(before - now).max(axis=-1)


_MEASURES: Final[dict[MeasureName, Callable[[Floats, Floats], Floats]]] = {
    "jensen_shannon": jensen_shannon,
    "l_infinity": l_infinity,
}


def _relative(shares: Floats, middle: Floats) -> Floats:
    """Kullback-Leibler divergence in bits; 0 log 0 counts as 0."""
    positive = shares > 0
    ratio = np.where(positive, shares, 1) / np.where(positive, middle, 1)
    return np.sum(np.where(positive, shares, 0) * np.log2(ratio), axis=-1)


def _draw(pair: Aligned) -> tuple[Floats, Floats]:
    sizes = [max(1, round(size)) for size in pair.sizes]
    pooled = (pair.before * sizes[0] + pair.now * sizes[1]) / sum(sizes)
    pooled = pooled / pooled.sum()
    random = np.random.default_rng(_SEED)
    first, second = (random.multinomial(size, pooled, size=DRAWS) / size for size in sizes)
    return first, second


def _moved(pair: Aligned) -> tuple[tuple[str, float, float], ...]:
    order = np.argsort(-np.abs(pair.now - pair.before), kind="stable")[:_MOVED]
    shares = [(pair.values[place], float(pair.before[place]), float(pair.now[place])) for place in order.tolist()]
    return tuple(entry for entry in shares if entry[1] != entry[2])
