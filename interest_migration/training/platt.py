"""Platt scaling from counts of logits, and the calibration error before and after.

logit          -3   -1    1     bins of 0.005 from -20 to 20
negatives       9    3    1     (weighted) examples in the bin
positives       0    2    1
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_LARGEST: Final = 20.0
_WIDTH: Final = 0.005
_BINS: Final = round(2 * _LARGEST / _WIDTH)
_CENTRES: Final = (np.arange(_BINS) + 0.5) * _WIDTH - _LARGEST
_STEPS: Final = 50
PRIOR: Final = 100.0
"""Precision of the normal prior around slope 1 and bias 0: as if some 600 examples had shown that nothing is wrong.

So many, since the examples of a user resemble each other and tell less than as many users would.
"""


class Scaling(NamedTuple):
    """`slope * logit + bias`."""

    slope: float = 1.0
    bias: float = 0.0


@dataclass(frozen=True)
class LogitCounts:
    """How often each logit was given to either class.

    Attributes:
      negatives: `[bins]` weights of the negatives.
      positives: `[bins]` weights of the positives.
    """

    negatives: Floats
    positives: Floats

    @classmethod
    def none(cls) -> Self:
        """Returns counts of nothing."""
        return cls(np.zeros(_BINS), np.zeros(_BINS))

    @classmethod
    def of(cls, logits: npt.NDArray[np.float32], positives: npt.NDArray[np.bool_], weights: Floats) -> Self:
        """Counts `[N]` logits with labels and weights."""
        bins = np.clip(((logits + _LARGEST) / _WIDTH).astype(np.int64), 0, _BINS - 1)
        negatives, found = (
            np.bincount(bins[kind], weights[kind], _BINS).astype(np.float64) for kind in (~positives, positives)
        )
        return cls(negatives, found)

    def __add__(self, other: "LogitCounts") -> "LogitCounts":
        return LogitCounts(self.negatives + other.negatives, self.positives + other.positives)


def fit(counts: LogitCounts) -> Scaling:
    """Returns the most probable scaling under the prior; none if one class is missing or the order would turn round.

    Newton's method on the penalised log loss, which is convex.
    """
    if not (counts.positives.any() and counts.negatives.any()):
        return Scaling()
    weights, inputs = counts.positives + counts.negatives, np.stack([_CENTRES, np.ones(_BINS)])
    start = values = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        chance = _probabilities(Scaling(*values))
        gradient = inputs @ (weights * chance - counts.positives) + PRIOR * (values - start)
        curvature = (inputs * (weights * chance * (1 - chance))) @ inputs.T + PRIOR * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        values = values - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    found = Scaling(*map(float, values))
    return found if found.slope > 0 else Scaling()


def log_loss(counts: LogitCounts, scaling: Scaling) -> float:
    """Returns the weighted sum of the log losses in nats."""
    logits = scaling.slope * _CENTRES + scaling.bias
    return float(counts.positives @ np.logaddexp(0, -logits) + counts.negatives @ np.logaddexp(0, logits))


def calibration_error(counts: LogitCounts, scaling: Scaling, bins: int = 15) -> float:
    """Returns the expected calibration error over equal-width bins of the probability; NaN without examples."""
    chance, weights = _probabilities(scaling), counts.positives + counts.negatives
    numbers = np.minimum((chance * bins).astype(np.int64), bins - 1)
    excess = np.bincount(numbers, chance * weights - counts.positives, bins)
    return float(np.abs(excess).sum() / weights.sum()) if weights.any() else float("nan")


def _probabilities(scaling: Scaling) -> Floats:
    probabilities: Floats = 1 / (1 + np.exp(-(scaling.slope * _CENTRES + scaling.bias)))
    return probabilities
