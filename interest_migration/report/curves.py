"""Curves of scores against labels: ROC and precision-recall, thinned out to a bounded number of points.

Worked example, scores 1, 2, 2, 3 with positives at the second 2 and at 3. From the highest threshold down:

    threshold            3     2     1
    true positives       1     2     2          of 2
    false positives      0     1     2          of 2
    ROC                  (0, 0), (0, 1/2), (1/2, 1), (1, 1)
    precision, recall    1 at 1/2, 2/3 at 1, 1/2 at 1
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.spaces import Numbers

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Curve:
    """A curve of P points, in the order in which the threshold falls.

    Attributes:
      x: `[P]`, ascending.
      y: `[P]`.
    """

    x: Floats
    y: Floats


def roc_curve(scores: Numbers, positives: Mask, points: int = 200) -> Curve:
    """Returns false positive rate and true positive rate of `[N]` scores, from (0, 0) to (1, 1).

    Args:
      scores: Higher means more likely positive.
      positives: The labels; both classes must occur.
      points: Most points that are kept; both ends always are.
    """
    true, false = _count_above(scores, positives)
    x, y = np.append(0, false / false[-1]), np.append(0, true / true[-1])
    kept = _corners(x, y)
    return thin(Curve(x[kept], y[kept]), points)


def precision_recall_curve(scores: Numbers, positives: Mask, points: int = 200) -> Curve:
    """Returns recall and the precision at it, one point for every recall that is reached, at its best precision.

    Args:
      scores: As for `roc_curve`.
      positives: The labels; a positive one must occur.
      points: Most points that are kept; both ends always are.
    """
    true, false = _count_above(scores, positives)
    reached = np.flatnonzero(np.diff(true, prepend=0) > 0)
    return thin(Curve(true[reached] / true[-1], true[reached] / (true + false)[reached]), points)


def thin(curve: Curve, points: int) -> Curve:
    """Keeps the points nearest to `points` equal steps along the curve, and both ends.

    Example:
      x 0, 1, ..., 9 on a line, 4 points -> 0, 3, 6, 9.
    """
    if len(curve.x) <= points:
        return curve
    length = np.append(0, np.cumsum(np.abs(np.diff(curve.x)) + np.abs(np.diff(curve.y))))
    wanted = np.linspace(0, length[-1], points)
    above = np.searchsorted(length, wanted).clip(1, len(length) - 1)
    nearer = np.where(wanted - length[above - 1] <= length[above] - wanted, above - 1, above)
    chosen = np.unique(np.concatenate([[0], nearer, [len(length) - 1]]))
    return Curve(curve.x[chosen], curve.y[chosen])


def _count_above(scores: Numbers, positives: Mask) -> tuple[Floats, Floats]:
    """Returns positives and negatives at or above each distinct score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    true = np.cumsum(positives[order])[last]
    return true.astype(np.float64), (last + 1 - true).astype(np.float64)


def _corners(x: Floats, y: Floats) -> npt.NDArray[np.int64]:
    """Returns the points where the curve changes direction, and both ends: the others add nothing to the picture."""
    if len(x) < 3:
        return np.arange(len(x))
    steps = np.stack([np.diff(x), np.diff(y)])
    turns = steps[0, :-1] * steps[1, 1:] - steps[1, :-1] * steps[0, 1:]
    return np.concatenate([[0], np.flatnonzero(turns != 0) + 1, [len(x) - 1]])
