"""Lift over chance: how much more often b follows a than it would if what follows did not depend on what is there.

Lift compares how often a and b go together with how often chance would bring them together (Brin, Motwani, Ullman &
Tsur 1997). Large baskets hold everything more often, so chance is reckoned inside groups of baskets of similar size and
summed up, as Mantel & Haenszel (1959) do:

    expected(a, b) = sum over groups s of (observations in s with a) x (share of observations in s that b follows)
    lift(a, b)     = observed(a, b) / expected(a, b)

Where b must be new, only observations count in which it can be. Intervals come from a bootstrap over users with the
statistic linearised in the users' weights (infinitesimal jackknife; Efron & Tibshirani 1993, ch. 21), so that a pair
that a resample misses does no harm. They are made for the square root of the lift, in which small counts are least
lopsided (Bartlett 1936), and hold for all pairs at once (`interest_migration.flows.bands`). A lift says what goes
together in time. It does not say that one causes the other.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from interest_migration.evaluation.bootstrap import Draws, Resamples, divide
from interest_migration.flows.bands import simultaneous_bands
from interest_migration.flows.observations import user_matrix
from interest_migration.flows.settings import FlowSettings

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Baskets:
    """N observations of K categories.

    Attributes:
      before: `[N, K]`, 1 where a is there.
      after: `[N, K]`, 1 where b follows.
      barred: `[N, K]`, 1 where b could not count as following.
      user: `[N]`, 0..U - 1.
    """

    before: sparse.csr_matrix
    after: sparse.csr_matrix
    barred: sparse.csr_matrix
    user: Ints


@dataclass(frozen=True)
class Lifts:
    """m tested pairs, all `[m]`.

    Attributes:
      source: Column of a.
      target: Column of b.
      observed: Observations with a that b follows.
      possible: Observations with a that b can follow.
      expected: What chance would bring.
      users: Different users behind `observed`.
      low: Lower bound of the lift.
      high: Upper bound.
    """

    source: Ints
    target: Ints
    observed: Draws
    possible: Draws
    expected: Draws
    users: Ints
    low: Draws
    high: Draws

    @property
    def lift(self) -> Draws:
        """Observed over expected."""
        return self.observed / self.expected


def group_sizes(baskets: sparse.csr_matrix, groups: int) -> Ints:
    """Returns `[N]`, the group of each basket by its size: at most `groups` of about equal number.

    Example:
      sizes 1, 1, 2, 9 and 2 groups -> 0, 0, 1, 1.
    """
    sizes = np.asarray(baskets.sum(axis=1)).ravel()
    if not len(sizes):
        return np.zeros(0, np.int64)
    edges = np.unique(np.quantile(sizes, np.arange(1, groups) / groups, method="lower"))
    return np.searchsorted(edges, sizes, side="left").astype(np.int64)


def measure_lifts(baskets: Baskets, settings: FlowSettings, seed: int) -> Lifts:
    """Measures every pair of different categories that chance would bring often enough to judge.

    Args:
      baskets: The observations; each should have something following.
      settings: Groups, resamples, confidence, smallest expected count.
      seed: Of the resamples.
    """
    if 0 in baskets.before.shape:
        nothing, none = np.zeros(0), np.zeros(0, np.int64)
        return Lifts(none, none, nothing, nothing, nothing, none, nothing, nothing)
    chance = _Chance.of(baskets, settings, seed)
    parts = [chance.follow(source) for source in range(baskets.before.shape[1])]
    names = ("source", "target", "observed", "possible", "expected", "users", "roots")
    joined = {name: np.concatenate([part[name] for part in parts]) for name in names}
    roots = joined.pop("roots")
    if not len(roots):
        return Lifts(**joined, low=np.zeros(0), high=np.zeros(0))
    bands = simultaneous_bands(roots, settings.confidence)
    return Lifts(**joined, low=np.square(np.maximum(bands.low, 0)), high=np.square(bands.high))


@dataclass(frozen=True)
class _Chance:
    """What is needed of all observations to judge one source; S size groups, D = 1 + R draws."""

    baskets: Baskets
    members: sparse.csr_matrix  # [N, U]
    weights: Draws  # [U, D]
    group: sparse.csr_matrix  # [N, S]
    rate: Draws  # [K, S], share of the observations in which b can follow that it does
    room: Draws  # [K, S], their number
    rate_shift: Draws  # [K, S, D], sum of (follows - rate) in each draw
    barred_rate: sparse.csr_matrix  # [N, K], the rate where b is barred
    minimum_expected: float

    @classmethod
    def of(cls, baskets: Baskets, settings: FlowSettings, seed: int) -> "_Chance":
        groups = group_sizes(baskets.after, settings.size_groups)
        count = int(groups.max(initial=0)) + 1
        group = user_matrix(groups, count)
        members = user_matrix(baskets.user, int(baskets.user.max(initial=-1)) + 1)
        resamples = Resamples.draw(np.arange(members.shape[1]), settings.resamples, seed)
        weights = resamples.weights[resamples.clusters].astype(np.float64)
        room = np.asarray(group.sum(axis=0)) - (baskets.barred.T @ group).toarray()
        rate = np.nan_to_num(divide((baskets.after.T @ group).toarray(), room))
        barred = baskets.barred.tocoo()
        barred_rate = sparse.csr_matrix(
            (rate[barred.col, groups[barred.row]], (barred.row, barred.col)), shape=barred.shape
        )
        shift = np.stack(
            [
                cls._shift(baskets, members, weights, np.flatnonzero(groups == number), rate[:, number])
                for number in range(count)
            ],
            axis=1,
        )
        return cls(baskets, members, weights, group, rate, room, shift, barred_rate, settings.minimum_expected)

    @staticmethod
    def _shift(baskets: Baskets, members: sparse.csr_matrix, weights: Draws, rows: Ints, rate: Draws) -> Draws:
        own = members[rows]
        follows = (baskets.after[rows].T @ own) @ weights
        room = np.asarray(own.sum(axis=0)) @ weights - (baskets.barred[rows].T @ own) @ weights
        return follows - rate[:, None] * room

    def follow(self, source: int) -> dict[str, npt.NDArray[np.generic]]:
        rows = np.flatnonzero(np.asarray(self.baskets.before[:, [source]].todense()).ravel())
        own, group = self.members[rows], self.group[rows]
        both = (self.baskets.after[rows].T @ own).tocsr()
        possible = np.asarray(group.sum(axis=0)) - (self.baskets.barred[rows].T @ group).toarray()
        observed, expected = np.asarray(both.sum(axis=1)).ravel(), (possible * self.rate).sum(axis=1)
        tested = (expected >= self.minimum_expected) & (observed > 0)
        tested[source] = False
        kept = np.flatnonzero(tested)
        reached = self.rate[kept] @ ((group.T @ own) @ self.weights)
        reached -= (self.barred_rate[rows][:, kept].T @ own) @ self.weights
        pull = divide(possible[kept], self.room[kept])
        reached += np.einsum("ks,ksd->kd", np.nan_to_num(pull), self.rate_shift[kept])
        relative = (both[kept] @ self.weights) / observed[kept, None] - reached / expected[kept, None]
        return {
            "source": np.full(len(kept), source),
            "target": kept,
            "observed": observed[kept],
            "possible": possible.sum(axis=1)[kept],
            "expected": expected[kept],
            "users": np.asarray(both.getnnz(axis=1), np.int64)[kept],
            "roots": np.sqrt(observed[kept] / expected[kept])[:, None] * (1 + relative / 2),
        }
