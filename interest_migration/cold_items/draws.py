"""Several draws of items: which ones are held out outweighs how they are ranked, so means are taken over draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from interest_migration.cold_items.scoring import Measured, Ranked
from interest_migration.evaluation.bootstrap import Estimate


@dataclass(frozen=True)
class Averaged:
    """Means over draws.

    Attributes:
      draws: What each draw found.
      methods: Method -> measure -> mean over draws, with its interval.
      differences: The same of the method `text` less each other one, by draw.
    """

    draws: Sequence[Ranked]
    methods: Mapping[str, Measured]
    differences: Mapping[str, Measured]


def average(draws: Sequence[Ranked]) -> Averaged:
    """Averages two draws or more of the same methods."""
    return Averaged(draws, _average([draw.methods for draw in draws]), _average([draw.differences for draw in draws]))


def _average(found: Sequence[Mapping[str, Measured]]) -> dict[str, Measured]:
    first = found[0]
    return {
        name: {key: mean_of_draws([one[name][key].value for one in found]) for key in measures}
        for name, measures in first.items()
    }


def mean_of_draws(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Returns the mean of two values or more, and Student's t interval for it."""
    mean = float(np.mean(values))
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values))
    return Estimate(mean, mean - half, mean + half)
