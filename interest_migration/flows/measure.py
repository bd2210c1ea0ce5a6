"""The flow of interests of a set of observations."""

import numpy as np
import numpy.typing as npt
from scipy import sparse

from interest_migration.evaluation.bootstrap import Draws, Resamples, divide
from interest_migration.flows.bands import simultaneous_bands
from interest_migration.flows.lift import Baskets, Lifts, measure_lifts
from interest_migration.flows.movement import move_least, pool, spread_evenly, sum_flows
from interest_migration.flows.observations import Observations, count_users, user_matrix
from interest_migration.flows.results import (
    GONE,
    OTHER,
    CategoryFlow,
    Flows,
    Link,
    NewInterest,
    Pair,
    PairTable,
    Period,
)
from interest_migration.flows.settings import FlowSettings

Ints = npt.NDArray[np.int64]
_DAY_SECONDS = 86_400


def measure_flows(observations: Observations, settings: FlowSettings, seed: int) -> Flows:
    """Measures all flows; what fewer than `settings.minimum_users` users are behind is left out.

    Args:
      observations: Users at cuts.
      settings: What is measured and what may be shown.
      seed: Of the resamples.
    """
    ranked = _rank_categories(observations, settings.minimum_users)
    shown, tested = ranked[: settings.shown_categories], ranked[: settings.tested_categories]
    followed = np.flatnonzero(observations.followed)
    links, hidden = _list_links(observations, shown, settings.minimum_users)
    nothing_barred = sparse.csr_matrix((len(followed), len(tested)))
    following = Baskets(
        before=observations.now[followed][:, tested],
        after=observations.following[followed][:, tested],
        barred=nothing_barred,
        user=observations.user[followed],
    )
    names = np.array(observations.names, object)[tested]
    return Flows(
        observations=len(observations.user),
        users=observations.users,
        minimum_users=settings.minimum_users,
        confidence=settings.confidence,
        hidden_share=hidden,
        categories=_list_categories(observations, ranked, settings, seed),
        links=links,
        following=_tabulate(_nonempty(following), names, settings, seed),
        new=_tabulate(_nonempty(_new_baskets(observations, tested)), names, settings, seed),
        new_interests=_list_new(observations, ranked, settings.minimum_users),
        periods=_list_periods(observations, shown, settings),
    )


def _rank_categories(observations: Observations, minimum_users: int) -> Ints:
    """Returns the columns with enough users both before and after, most observations first."""
    before = count_users(observations.now, observations.user, observations.users)
    after = count_users(observations.following, observations.user, observations.users)
    enough = np.flatnonzero((before >= minimum_users) & (after >= minimum_users))
    volume = np.asarray((observations.now + observations.following).sum(axis=0)).ravel()[enough]
    return enough[np.argsort(-volume, kind="stable")]


def _list_links(observations: Observations, shown: Ints, minimum_users: int) -> tuple[tuple[Link, ...], float]:
    gone = sparse.csr_matrix((~observations.followed[:, None]).astype(np.float64))
    before = sparse.hstack([spread_evenly(observations.now), 0 * gone], format="csr")
    after = spread_evenly(observations.following)
    staying = sparse.diags(observations.followed.astype(np.float64)) @ after
    movement = move_least(before, sparse.hstack([staying, gone], format="csr"))
    size = len(observations.names)
    groups = np.full(size + 2, len(shown))
    groups[shown], groups[size + 1] = np.arange(len(shown)), len(shown) + 1
    members = user_matrix(observations.user, observations.users)
    mass, users = sum_flows(pool(movement, groups, len(shown) + 2), members)
    places = [*(observations.names[column] for column in shown), OTHER, GONE]
    mass /= max(len(observations.user), 1)
    of_source = divide(mass, mass.sum(axis=1, keepdims=True))
    visible = (users >= minimum_users) & (mass > 0)
    links = tuple(
        Link(places[a], places[b], float(mass[a, b]), float(of_source[a, b]), int(users[a, b]))
        for a, b in np.argwhere(visible)
    )
    return links, float(mass[~visible].sum())


def _list_categories(
    observations: Observations, ranked: Ints, settings: FlowSettings, seed: int
) -> tuple[CategoryFlow, ...]:
    rows = np.flatnonzero(observations.followed)
    if not len(ranked) or not len(rows):
        return ()
    movement = move_least(spread_evenly(observations.now[rows]), spread_evenly(observations.following[rows]))
    before, after = movement.stays + movement.leaves, movement.stays + movement.arrives
    draws = _share_draws((after - before)[:, ranked], observations.user[rows], settings.resamples, seed)
    bands = simultaneous_bands(draws, settings.confidence)
    sums = [np.asarray(part[:, ranked].sum(axis=0)).ravel() for part in (before, after, movement.stays)]
    users = count_users(observations.now + observations.following, observations.user, observations.users)[ranked]
    held = observations.now[:, ranked]
    left = np.asarray((sparse.diags((~observations.followed).astype(np.float64)) @ held).sum(axis=0)).ravel()
    gone = divide(left, np.asarray(held.sum(axis=0)).ravel())
    return tuple(
        CategoryFlow(
            name=observations.names[column],
            users=int(users[place]),
            before=float(sums[0][place] / len(rows)),
            after=float(sums[1][place] / len(rows)),
            change=float(draws[place, 0]),
            low=float(bands.low[place]),
            high=float(bands.high[place]),
            stays=float(sums[2][place] / sums[0][place]),
            gone=float(gone[place]),
        )
        for place, column in enumerate(ranked)
    )


def _share_draws(values: sparse.csr_matrix, user: Ints, resamples: int, seed: int) -> Draws:
    """Returns draws `[K, D]` of the mean of each column of `[N, K]`, users drawn with replacement."""
    drawn = Resamples.draw(user, resamples, seed)
    members = user_matrix(drawn.clusters, len(drawn.weights))
    return divide((values.T @ members) @ drawn.weights.astype(np.float64), drawn.sum(np.ones(len(user))))


def _new_baskets(observations: Observations, tested: Ints) -> Baskets:
    rows = np.flatnonzero(observations.observed)
    return Baskets(
        before=observations.now[rows][:, tested],
        after=observations.new[rows][:, tested],
        barred=observations.recent[rows][:, tested],
        user=observations.user[rows],
    )


def _nonempty(baskets: Baskets) -> Baskets:
    """Keeps the observations that something follows."""
    rows = np.flatnonzero(np.asarray(baskets.after.sum(axis=1)).ravel() > 0)
    _, user = np.unique(baskets.user[rows], return_inverse=True)
    return Baskets(baskets.before[rows], baskets.after[rows], baskets.barred[rows], user.astype(np.int64))


def _tabulate(baskets: Baskets, names: npt.NDArray[np.object_], settings: FlowSettings, seed: int) -> PairTable:
    lifts = measure_lifts(baskets, settings, seed)
    more, less = lifts.low > 1, lifts.high < 1
    distance = np.where(more, lifts.low, np.where(less, 1 / np.maximum(lifts.high, 1e-9), 0))
    found = np.flatnonzero((more | less) & (lifts.users >= settings.minimum_users))
    best = found[np.argsort(-distance[found], kind="stable")][: settings.shown_pairs]
    return PairTable(
        len(lifts.source), int(more.sum()), int(less.sum()), tuple(_pair(lifts, int(row), names) for row in best)
    )


def _pair(lifts: Lifts, row: int, names: npt.NDArray[np.object_]) -> Pair:
    possible = lifts.possible[row]
    return Pair(
        source=names[lifts.source[row]],
        target=names[lifts.target[row]],
        users=int(lifts.users[row]),
        observations=int(possible),
        share=float(lifts.observed[row] / possible),
        chance=float(lifts.expected[row] / possible),
        lift=float(lifts.lift[row]),
        low=float(lifts.low[row]),
        high=float(lifts.high[row]),
    )


def _list_new(observations: Observations, ranked: Ints, minimum_users: int) -> tuple[NewInterest, ...]:
    rows = np.flatnonzero(observations.observed)
    new, recent = observations.new[rows][:, ranked], observations.recent[rows][:, ranked]
    taken, room = np.asarray(new.sum(axis=0)).ravel(), len(rows) - np.asarray(recent.sum(axis=0)).ravel()
    users = count_users(new, observations.user[rows], observations.users)
    order = np.argsort(-taken, kind="stable")
    return tuple(
        NewInterest(observations.names[ranked[place]], int(users[place]), float(taken[place] / room[place]))
        for place in order
        if users[place] >= minimum_users
    )


def _list_periods(observations: Observations, shown: Ints, settings: FlowSettings) -> tuple[Period, ...]:
    if not observations.followed.any():
        return ()
    first_s, length_s = int(observations.cut_s.min()), int(settings.period_days * _DAY_SECONDS)
    numbers = (observations.cut_s - first_s) // length_s
    periods = []
    for number in np.unique(numbers):
        rows = np.flatnonzero((numbers == number) & observations.followed)
        users = len(np.unique(observations.user[rows]))
        if users >= settings.minimum_users:
            shares = _period_shares(observations, shown, rows, settings.minimum_users)
            periods.append(Period(first_s + int(number) * length_s, users, shares))
    return tuple(periods)


def _period_shares(observations: Observations, shown: Ints, rows: Ints, minimum_users: int) -> dict[str, float | None]:
    baskets = observations.following[rows][:, shown]
    users = count_users(baskets, observations.user[rows], observations.users)
    counts = np.asarray(baskets.sum(axis=0)).ravel()
    return {
        observations.names[column]: float(counts[place] / len(rows)) if users[place] >= minimum_users else None
        for place, column in enumerate(shown)
    }
