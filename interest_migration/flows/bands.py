"""Intervals that all hold at once, so that the best of many may be picked out afterwards.

Each interval reaches so many of its own standard errors to either side as no estimate is off by in `confidence` of the
resamples (max-t; Westfall & Young 1993; Romano & Wolf 2005). With one estimate it is an ordinary interval; with
thousands it is wider, and pairs that only chance made large do not pass for findings.
"""

from dataclasses import dataclass

import numpy as np

from interest_migration.evaluation.bootstrap import Draws


@dataclass(frozen=True)
class Bands:
    """Simultaneous intervals of m estimates.

    Attributes:
      low: `[m]` lower bounds.
      high: `[m]` upper bounds.
      critical: Width in standard errors, to either side.
    """

    low: Draws
    high: Draws
    critical: float


def simultaneous_bands(draws: Draws, confidence: float) -> Bands:
    """Returns the intervals of `[m, 1 + R]` draws, whose column 0 holds the estimates.

    An estimate that never varies is its own interval.
    """
    estimates, deviations = draws[:, 0], draws[:, 1:] - draws[:, :1]
    errors = deviations.std(axis=1)
    varies = errors > 1e-12
    if not varies.any():
        return Bands(estimates.copy(), estimates.copy(), 0.0)
    largest = (np.abs(deviations[varies]) / errors[varies, None]).max(axis=0)
    critical = float(np.quantile(largest, confidence))
    return Bands(estimates - critical * errors, estimates + critical * errors, critical)
