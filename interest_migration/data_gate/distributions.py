"""A feature's values in one set of data, in the form in which two sets are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MISSING: Final = "(missing)"
"""Stands for examples that lack the feature."""

REST: Final = "(others)"
"""Stands for values that are not listed."""

MIN_EXPECTED: Final = 5.0
"""Observations that a cell should hold, the usual rule for tests of shares."""

_ROUNDING: Final = 1e-9
_RANGES: Final = 10
"""Numbers are compared in about this many ranges of equal weight."""


@dataclass(frozen=True)
class Histogram:
    """Ranges of numbers and what lies in them.

    Attributes:
      low: `[B]` lower ends.
      high: `[B]` upper ends; equal to the lower one where all values are the same.
      mass: `[B]` shares; they add up to 1. Within a range they are taken as evenly spread.
    """

    low: Floats
    high: Floats
    mass: Floats

    def below(self, points: Floats, *, inclusive: bool) -> Floats:
        """Returns `[P]` the share of values below each point, or up to and with it."""
        low, width = self.low[:, None], (self.high - self.low)[:, None]
        inside = np.clip((points - low) / np.where(width > 0, width, 1), 0, 1)
        jump = (low <= points) if inclusive else (low < points)
        return self.mass @ np.where(width > 0, inside, jump)


@dataclass(frozen=True)
class Distribution:
    """Shares of the values of one feature.

    Attributes:
      shares: Value -> share; `MISSING` for examples without any. Of numbers only `MISSING`.
      rest: Share of values that are not listed.
      largest_rest: The largest share that one of them can have; 0 if all values are listed.
      histogram: Of numbers, the values of the examples that have any.
      size: Number of independent observations behind it: at most the values, at least about the users.
    """

    shares: Mapping[str, float]
    size: float
    rest: float = 0.0
    largest_rest: float = 0.0
    histogram: Histogram | None = None

    @property
    def missing(self) -> float:
        """Share of examples without a value."""
        return self.shares.get(MISSING, 0.0)


@dataclass(frozen=True)
class Aligned:
    """Two distributions over the same values.

    Attributes:
      values: `[K]` names.
      before: `[K]` shares of the first.
      now: `[K]` shares of the second.
      sizes: Independent observations behind them.
    """

    values: tuple[str, ...]
    before: Floats
    now: Floats
    sizes: tuple[float, float] = field(default=(0.0, 0.0))


def from_counts(counts: Mapping[str, float], size: float) -> Distribution:
    """Returns the distribution of counted values."""
    total = sum(counts.values())
    return Distribution({value: count / total for value, count in counts.items()}, size)


def align(before: Distribution, now: Distribution) -> Aligned:
    """Puts two distributions over the same values.

    A value that one side does not list, because it lists only its most frequent ones, may have been there all the same:
    it is given as much as it can have, so that distances are never overstated.

    Raises:
      ValueError: If one side has numbers and the other has texts.
    """
    if before.histogram or now.histogram:
        return _align_numbers(before, now)
    names = tuple(sorted({*before.shares, *now.shares}))
    first, second = _shares(before, now, names), _shares(now, before, names)
    return Aligned(
        (*names, REST),
        np.append(first, max(0.0, 1 - first.sum())),
        np.append(second, max(0.0, 1 - second.sum())),
        (before.size, now.size),
    )


def merge_rare(pair: Aligned) -> Aligned:
    """Puts rare values together until each cell is expected to hold `MIN_EXPECTED` observations of the smaller sample.

    Thousands of rare values would drown a change of the frequent ones in chance. Which rare values share a cell follows
    from a hash of their names, not from their shares, so that it favours neither side.
    """
    needed = MIN_EXPECTED / max(min(pair.sizes), 1.0)
    pooled = (pair.before + pair.now) / 2
    rare = [place for place in np.flatnonzero(pooled < needed).tolist() if pair.values[place] != MISSING]
    rare.sort(key=lambda place: crc32(pair.values[place].encode()))
    kept = np.ones(len(pooled), np.bool_)
    kept[rare] = False
    cells = [rare[first : last + 1] for first, last in _groups(pooled[rare], needed)] if rare else []
    names = [f"({len(cell)} rare values)" for cell in cells]
    sides = [np.append(side[kept], [side[cell].sum() for cell in cells]) for side in (pair.before, pair.now)]
    frequent = [name for name, is_kept in zip(pair.values, kept, strict=True) if is_kept]
    return Aligned((*frequent, *names), sides[0], sides[1], pair.sizes)


def _shares(own: Distribution, other: Distribution, names: Sequence[str]) -> Floats:
    listed = np.array([own.shares.get(name, 0.0) for name in names])
    unlisted = [0.0 if name in own.shares else min(other.shares[name], own.largest_rest) for name in names]
    guessed = np.array(unlisted)
    room = guessed.sum()
    return listed + guessed * (min(1.0, own.rest / room) if room > 0 else 0.0)


def _align_numbers(before: Distribution, now: Distribution) -> Aligned:
    sides = (before, now)
    if any(side.histogram is None and side.missing < 1 for side in sides):
        raise ValueError("expected numbers on both sides, received numbers and texts")
    histograms = [side.histogram for side in sides if side.histogram]
    edges = np.unique(np.concatenate([end for each in histograms for end in (each.low, each.high)]))
    cells = [_cells(side.histogram, edges) * (1 - side.missing) for side in sides]
    groups = _groups(cells[0] + cells[1], (cells[0] + cells[1]).sum() / _RANGES)
    values = tuple(_name(edges, first, last) for first, last in groups)
    shares = [np.array([cell[first : last + 1].sum() for first, last in groups]) for cell in cells]
    return Aligned(
        (*values, MISSING),
        np.append(shares[0], before.missing),
        np.append(shares[1], now.missing),
        (before.size, now.size),
    )


def _cells(histogram: Histogram | None, edges: Floats) -> Floats:
    """Returns `[2E - 1]` shares of: the first edge, the open range after it, the second edge, and so on."""
    cells = np.zeros(2 * len(edges) - 1)
    if histogram is not None:
        upto, before = histogram.below(edges, inclusive=True), histogram.below(edges, inclusive=False)
        cells[::2] = upto - before
        cells[1::2] = before[1:] - upto[:-1]
    return np.maximum(cells, 0)


def _groups(mass: Floats, needed: float) -> list[tuple[int, int]]:
    """Joins neighbours until each group holds the needed mass; what is left joins the last. Returns first and last."""
    groups: list[tuple[int, int]] = []
    start, held = 0, 0.0
    for place, share in enumerate(mass.tolist()):
        held += share
        if held >= needed - _ROUNDING:
            groups.append((start, place))
            start, held = place + 1, 0.0
    if not groups:
        return [(0, len(mass) - 1)]
    groups[-1] = (groups[-1][0], len(mass) - 1) if start < len(mass) else groups[-1]
    return groups


def _name(edges: Floats, first: int, last: int) -> str:
    low, high = edges[first // 2], edges[(last + 1) // 2]
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
