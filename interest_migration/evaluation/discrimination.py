"""How well scores separate two classes: AUROC, average precision (PR-AUC), macro AUROC.

Worked example, scores 1, 2, 2, 3 with positives at the second 2 and at 3:

    pairs (positive, negative): 2 > 1, 2 = 2, 3 > 1, 3 > 2   ->   AUROC (1 + 0.5 + 1 + 1) / 4 = 0.875
    thresholds from above: 3 (1 of 1 right), 2 (2 of 3 right) ->  average precision 0.5 * 1 + 0.5 * 2/3 = 0.833...

Ties count half in AUROC (midranks, Mann-Whitney) and form one threshold in average precision: a constant score gets 0.5
and the share of positives.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.bootstrap import Draws, Resamples, divide
from interest_migration.evaluation.spaces import Numbers


@dataclass(frozen=True)
class _Levels:
    """Weights around the G distinct scores of positives, ascending; all `[G, D]`."""

    positive: Draws
    below: Draws  # negatives that score lower
    tied: Draws  # negatives that score the same
    negative: Draws  # `[D]`, all negatives


def auroc(scores: Numbers, positives: npt.NDArray[np.bool_]) -> float:
    """Returns the area under the ROC curve of `[N]` scores; NaN with one class only."""
    return float(auroc_draws(scores, positives, Resamples.none(len(scores)))[0])


def average_precision(scores: Numbers, positives: npt.NDArray[np.bool_]) -> float:
    """Returns the area under the precision-recall curve (step-wise) of `[N]` scores; NaN without positives."""
    return float(average_precision_draws(scores, positives, Resamples.none(len(scores)))[0])


def macro_auroc(scores: Numbers, positives: npt.NDArray[np.bool_], minimum_positives: int = 1) -> float:
    """Returns the mean AUROC over the columns of `[N, C]` scores; see `macro_auroc_draws`."""
    return float(macro_auroc_draws(scores, positives, Resamples.none(len(scores)), minimum_positives)[0])


def auroc_draws(scores: Numbers, positives: npt.NDArray[np.bool_], resamples: Resamples) -> Draws:
    """Returns the draws `[D]` of AUROC.

    Args:
      scores: `[N]`, higher means more likely positive.
      positives: `[N]` bool.
      resamples: Weights of the N examples.
    """
    if 2 * np.count_nonzero(positives) > len(positives):  # fewer distinct levels, same area
        scores, positives = -scores, ~positives
    blocks = [_levels(scores, positives, block) for block in resamples.blocks(2 * int(positives.sum()))]
    areas = [
        divide(
            np.einsum("gd,gd->d", level.positive, level.below + 0.5 * level.tied),
            level.positive.sum(axis=0) * level.negative,
        )
        for level in blocks
    ]
    return np.concatenate(areas)


def average_precision_draws(scores: Numbers, positives: npt.NDArray[np.bool_], resamples: Resamples) -> Draws:
    """Returns the draws `[D]` of average precision; arguments as for `auroc_draws`."""
    return np.concatenate(
        [_average_precision(_levels(scores, positives, block)) for block in resamples.blocks(2 * int(positives.sum()))]
    )


def macro_auroc_draws(
    scores: Numbers, positives: npt.NDArray[np.bool_], resamples: Resamples, minimum_positives: int
) -> Draws:
    """Returns the draws `[D]` of the unweighted mean of the columns' AUROC.

    Args:
      scores: `[N, C]`.
      positives: `[N, C]` bool.
      resamples: Weights of the N examples.
      minimum_positives: Columns need so many positives, and one negative; the others are left out. A resample
        without positives of a column leaves that column out.
    """
    columns = scored_columns(positives, minimum_positives)
    if not len(columns):
        return np.full(resamples.weights.shape[1], np.nan)
    areas = np.stack([auroc_draws(scores[:, column], positives[:, column], resamples) for column in columns])
    defined = ~np.isnan(areas)
    return divide(np.where(defined, areas, 0).sum(axis=0), defined.sum(axis=0).astype(np.float64))


def scored_columns(positives: npt.NDArray[np.bool_], minimum_positives: int) -> npt.NDArray[np.int64]:
    """Returns the columns of `[N, C]` labels that have enough positives and a negative."""
    counts = positives.sum(axis=0)
    return np.flatnonzero((counts >= minimum_positives) & (counts < len(positives)))


def _levels(scores: Numbers, positives: npt.NDArray[np.bool_], resamples: Resamples) -> _Levels:
    """Sums weights by position among the positives' scores.

    A negative between level g - 1 and level g falls into slot 2g, one equal to level g into slot 2g + 1.
    """
    levels = np.unique(scores[positives])
    positive = resamples.take(positives).group_sums(np.searchsorted(levels, scores[positives]), len(levels))
    rest = scores[~positives]
    slots = np.searchsorted(levels, rest, "left") + np.searchsorted(levels, rest, "right")
    sums = resamples.take(~positives).group_sums(slots, 2 * len(levels) + 1)
    cumulative = np.cumsum(sums, axis=0)
    return _Levels(positive, below=cumulative[0:-1:2], tied=sums[1::2], negative=cumulative[-1])


def _average_precision(level: _Levels) -> Draws:
    found = np.cumsum(level.positive[::-1], axis=0)[::-1]
    false = level.negative - level.below
    precision = np.nan_to_num(divide(found, found + false))
    return divide(np.einsum("gd,gd->d", level.positive, precision), level.positive.sum(axis=0))
