"""Ranking measures of set labels, exact under ties.

Candidates with equal scores have no order. Every measure is its expected value over all orders of tied candidates
(McSherry & Najork 2008), so a constant score earns what a random order earns. Only the positions of labels matter:

    scores 5, 3, 3, 1, labels are columns 1 and 3:
    column 1: 1 candidate scores higher, 2 are tied (itself included);  column 3: 3 higher, 1 tied
    hit@1 = 0, hit@2 = 1/2, reciprocal rank = (1/2 + 1/3) / 2
    AUROC: of the 4 pairs of a label and another candidate half a pair is won (3 = 3), so 0.5 / 4 = 0.125
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interest_migration.errors import ContractError
from interest_migration.evaluation.bootstrap import Draws, divide
from interest_migration.evaluation.spaces import Numbers
from interest_migration.ragged import Ragged

_BLOCK_CELLS = 8_000_000


@dataclass(frozen=True)
class LabelRanks:
    """Where the labels of N examples stand.

    Attributes:
      row: `[P]`, example of each placed label.
      higher: `[P]`, candidates that score higher.
      tied: `[P]`, candidates that score the same, itself included.
      labels: `[N]`, labels of each example.
      candidates: `[N]`, candidates of each example.
    """

    row: npt.NDArray[np.int64]
    higher: npt.NDArray[np.int64]
    tied: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    candidates: npt.NDArray[np.int64]


def rank_labels(
    scores: Numbers, labels: Ragged, candidates: npt.NDArray[np.bool_] | None = None, depth: int | None = None
) -> LabelRanks:
    """Finds the positions of labels.

    Args:
      scores: `[N, C]` without NaN.
      labels: N rows of distinct columns.
      candidates: `[N, C]` bool; labels must be candidates. All columns if none are given.
      depth: If given, only the first label (and those tied with it) is placed for an example whose first label has
        `depth` or more candidates before it. This saves most of the work where C is large; hits and NDCG at up to
        `depth` and reciprocal ranks stay exact, `user_auc` does not.

    Raises:
      ContractError: If rows do not match, or a label is no candidate.
    """
    _check(scores, labels, candidates)
    allowed = scores if candidates is None else np.where(candidates, scores, np.nan)
    row, label = labels.row_ids, scores[labels.row_ids, labels.values]
    counted = np.full(len(labels), scores.shape[1]) if candidates is None else candidates.sum(axis=1)
    if depth is None:
        higher, tied = _count(allowed, row, label)
        return LabelRanks(row, higher, tied, labels.lengths, counted)
    return _rank_first(allowed, row, label, labels.lengths, counted, depth)


def concatenate_ranks(parts: Sequence[LabelRanks]) -> LabelRanks:
    """Joins the positions found in consecutive blocks of examples."""
    starts = np.cumsum([0, *(len(part.labels) for part in parts)])
    return LabelRanks(
        row=np.concatenate([part.row + start for part, start in zip(parts, starts[:-1], strict=True)]),
        higher=np.concatenate([part.higher for part in parts]),
        tied=np.concatenate([part.tied for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        candidates=np.concatenate([part.candidates for part in parts]),
    )


def hit_at(ranks: LabelRanks, k: int) -> Draws:
    """Returns `[N]`, the probability that a label is among the first k; NaN without labels."""
    higher, tied, equal = _first(ranks)
    slots = np.clip(k - higher, 0, tied)
    missed = np.ones(len(ranks.labels))
    for drawn in range(k):
        left = np.maximum(tied - equal - drawn, 0) / np.maximum(tied - drawn, 1)
        missed *= np.where(drawn < slots, left, 1)
    return np.where(ranks.labels > 0, 1 - missed, np.nan)


def reciprocal_rank(ranks: LabelRanks) -> Draws:
    """Returns `[N]`, the expected 1 / position of the first label; NaN without labels."""
    rows = np.flatnonzero(ranks.labels > 0)
    situations, which = np.unique(np.stack(_first(ranks))[:, rows], axis=1, return_inverse=True)
    expected = np.array([_expected_reciprocal(*map(int, situation)) for situation in situations.T])
    values = np.full(len(ranks.labels), np.nan)
    values[rows] = expected[which.ravel()] if len(rows) else 0
    return values


def ndcg_at(ranks: LabelRanks, k: int) -> Draws:
    """Returns `[N]` normalised discounted cumulative gain of the first k, gain 1 per label; NaN without labels."""
    discounts = np.concatenate([[0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    first, last = np.minimum(ranks.higher, k), np.minimum(ranks.higher + ranks.tied, k)
    gains = np.bincount(ranks.row, (discounts[last] - discounts[first]) / ranks.tied, len(ranks.labels))
    return divide(gains, discounts[np.minimum(ranks.labels, k)])


def user_auc(ranks: LabelRanks) -> Draws:
    """Returns `[N]` AUROC of labels against the other candidates of the same example; NaN without either."""
    midranks = ranks.candidates[ranks.row] - ranks.higher - (ranks.tied - 1) / 2
    rank_sums = np.bincount(ranks.row, midranks, len(ranks.labels))
    wins = rank_sums - ranks.labels * (ranks.labels + 1) / 2
    return divide(wins, (ranks.labels * (ranks.candidates - ranks.labels)).astype(np.float64))


def _check(scores: Numbers, labels: Ragged, candidates: npt.NDArray[np.bool_] | None) -> None:
    if len(scores) != len(labels):
        raise ContractError(f"expected scores of {len(labels)} examples, received {len(scores)}")
    if candidates is not None and not candidates[labels.row_ids, labels.values].all():
        raise ContractError("expected every label to be a candidate, received one that is not")


def _count(
    scores: Numbers, row: npt.NDArray[np.int64], label: Numbers
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Counts scores of `row` that are higher than, and equal to, `label`; NaN is neither."""
    size = max(1, _BLOCK_CELLS // max(scores.shape[1], 1))
    higher, tied = np.zeros(len(row), np.int64), np.zeros(len(row), np.int64)
    for start in range(0, len(row), size):
        part = slice(start, start + size)
        block, own = scores[row[part]], label[part, None]
        higher[part], tied[part] = (block > own).sum(axis=1), (block == own).sum(axis=1)
    return higher, tied


def _rank_first(
    scores: Numbers,
    row: npt.NDArray[np.int64],
    label: Numbers,
    lengths: npt.NDArray[np.int64],
    counted: npt.NDArray[np.int64],
    depth: int,
) -> LabelRanks:
    best = np.full(len(lengths), -np.inf)
    np.maximum.at(best, row, label)
    rows = np.flatnonzero(lengths > 0)
    higher_first, tied_first = np.zeros(len(lengths), np.int64), np.zeros(len(lengths), np.int64)
    higher_first[rows], tied_first[rows] = _count(scores, rows, best[rows].astype(scores.dtype))
    is_first = label == best[row]
    higher, tied = higher_first[row], tied_first[row]
    near = ~is_first & (higher < depth)
    higher[near], tied[near] = _count(scores, row[near], label[near])
    keep = is_first | near
    return LabelRanks(row[keep], higher[keep], tied[keep], lengths, counted)


def _first(ranks: LabelRanks) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns for the first label of each example, `[N]` each: higher, tied, and labels among the tied."""
    higher = np.full(len(ranks.labels), np.iinfo(np.int64).max)
    np.minimum.at(higher, ranks.row, ranks.higher)
    first = ranks.higher == higher[ranks.row]
    tied = np.ones(len(ranks.labels), np.int64)
    tied[ranks.row[first]] = ranks.tied[first]
    return higher, tied, np.bincount(ranks.row[first], minlength=len(ranks.labels))


def _expected_reciprocal(higher: int, tied: int, labels: int) -> float:
    """Mean of 1 / (higher + X), X the smallest of `labels` positions drawn from 1..tied without replacement."""
    position = np.arange(1, tied - labels + 2)
    unseen = np.concatenate([[1.0], np.cumprod((tied - labels - position[:-1] + 1) / (tied - position[:-1] + 1))])
    return float((unseen * labels / (tied - position + 1) / (higher + position)).sum())
