"""Whether probabilities mean what they say: Brier score, log loss, expected calibration error, reliability curve."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.bootstrap import Draws, Resamples, divide
from interest_migration.evaluation.spaces import Numbers

_SMALLEST_PROBABILITY = 1e-7


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin of a reliability curve: examples with probabilities in `[low, high)`, the last bin with `high` too."""

    low: float
    high: float
    examples: int
    predicted: float  # mean probability, NaN if empty
    observed: float  # share of positives, NaN if empty


def squared_errors(probabilities: Numbers, positives: npt.NDArray[np.bool_]) -> Draws:
    """Returns `[N]` squared errors; their mean is the Brier score."""
    return np.square(probabilities.astype(np.float64) - positives)


def log_losses(probabilities: Numbers, positives: npt.NDArray[np.bool_]) -> Draws:
    """Returns `[N]` negative log-likelihoods in nats, probabilities clipped to [1e-7, 1 - 1e-7]."""
    clipped = np.clip(probabilities.astype(np.float64), _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    return -np.log(np.where(positives, clipped, 1 - clipped))


def brier_score(probabilities: Numbers, positives: npt.NDArray[np.bool_]) -> float:
    """Returns the mean squared error of `[N]` probabilities; NaN without examples."""
    return float(Resamples.none(len(probabilities)).mean(squared_errors(probabilities, positives))[0])


def log_loss(probabilities: Numbers, positives: npt.NDArray[np.bool_]) -> float:
    """Returns the mean negative log-likelihood of `[N]` probabilities; NaN without examples."""
    return float(Resamples.none(len(probabilities)).mean(log_losses(probabilities, positives))[0])


def expected_calibration_error(probabilities: Numbers, positives: npt.NDArray[np.bool_], bins: int = 15) -> float:
    """Returns the mean distance of predicted and observed share, over equal-width bins; NaN without examples."""
    return float(calibration_error_draws(probabilities, positives, bins, Resamples.none(len(probabilities)))[0])


def calibration_error_draws(
    probabilities: Numbers, positives: npt.NDArray[np.bool_], bins: int, resamples: Resamples
) -> Draws:
    """Returns the draws `[D]` of the expected calibration error (Naeini et al. 2015).

    The sum over bins of |sum of (probability - label)|, divided by the number of examples. Resampling adds noise to
    every bin, so an interval lies a little above the value of a well calibrated method.
    """
    excess = probabilities.astype(np.float64) - positives
    by_bin = resamples.group_sums(_bin_numbers(probabilities, bins), bins, excess)
    return divide(np.abs(by_bin).sum(axis=0), resamples.sum(np.ones(len(probabilities))))


def pooled_error_draws(
    probabilities: Numbers, positives: npt.NDArray[np.bool_], bins: int, resamples: Resamples
) -> Draws:
    """Returns the draws `[D]` of the expected calibration error of `[N, C]` probabilities, all pairs pooled."""
    count, width = probabilities.shape
    places = _bin_numbers(probabilities, bins) + bins * np.arange(count)[:, np.newaxis]
    excess = probabilities.astype(np.float64) - positives
    by_example = np.bincount(places.ravel(), excess.ravel(), count * bins).reshape(count, bins)
    by_bin = np.stack([resamples.sum(column) for column in by_example.T])
    return divide(np.abs(by_bin).sum(axis=0), width * resamples.sum(np.ones(count)))


def reliability_curve(
    probabilities: Numbers, positives: npt.NDArray[np.bool_], bins: int = 15
) -> tuple[ReliabilityBin, ...]:
    """Returns all equal-width bins of `[N]` probabilities, from low to high."""
    numbers = _bin_numbers(probabilities, bins)
    counts = np.bincount(numbers, minlength=bins)
    predicted = divide(np.bincount(numbers, probabilities, bins), counts)
    observed = divide(np.bincount(numbers, positives, bins), counts)
    return tuple(
        ReliabilityBin(number / bins, (number + 1) / bins, int(counts[number]), *map(float, pair))
        for number, pair in enumerate(zip(predicted, observed, strict=True))
    )


def _bin_numbers(probabilities: Numbers, bins: int) -> npt.NDArray[np.int64]:
    return np.minimum((probabilities.astype(np.float64) * bins).astype(np.int64), bins - 1)
