import numpy as np
import pytest
from scipy import sparse

from interest_migration.flows.bands import simultaneous_bands
from interest_migration.flows.lift import Baskets, Lifts, group_sizes, measure_lifts
from interest_migration.flows.settings import FlowSettings

SETTINGS = FlowSettings(minimum_expected=0.1, size_groups=1, resamples=400)


def matrix(rows: object) -> sparse.csr_matrix:
    return sparse.csr_matrix(np.array(rows, float))


def make(before: object, after: object, barred: object = None, user: object = None) -> Baskets:
    a, b = matrix(before), matrix(after)
    none = sparse.csr_matrix(a.shape)
    return Baskets(a, b, none if barred is None else matrix(barred), np.arange(a.shape[0]) if user is None else user)


def pair(lifts: Lifts, source: int, target: int) -> int:
    (row,) = np.flatnonzero((lifts.source == source) & (lifts.target == target))
    return int(row)


def test_lift_by_hand() -> None:
    # Category 1 follows in 3 of 6 observations, and in 2 of the 3 that hold category 0.
    before = [[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]]
    after = [[0, 1], [0, 1], [1, 0], [0, 1], [1, 0], [1, 0]]
    lifts = measure_lifts(make(before, after), SETTINGS, seed=0)
    row = pair(lifts, 0, 1)
    assert (lifts.observed[row], lifts.possible[row], lifts.expected[row]) == (2, 3, 1.5)
    assert lifts.lift[row] == pytest.approx(4 / 3)
    assert lifts.users[row] == 2
    assert lifts.low[row] < lifts.lift[row] < lifts.high[row]


def test_only_observations_count_in_which_it_can_follow() -> None:
    # As above, but category 1 is barred in the last two: it follows in 3 of 4.
    before = [[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]]
    after = [[0, 1], [0, 1], [1, 0], [0, 1], [1, 0], [1, 0]]
    barred = [[0, 0], [0, 0], [0, 0], [0, 0], [0, 1], [0, 1]]
    lifts = measure_lifts(make(before, after, barred), SETTINGS, seed=0)
    row = pair(lifts, 0, 1)
    assert lifts.expected[row] == pytest.approx(3 * 3 / 4)
    assert lifts.lift[row] == pytest.approx(2 / (9 / 4))


def test_large_baskets_are_compared_with_large_ones() -> None:
    # Users with large baskets have everything, those with small ones have category 2 only: no pair is beyond chance.
    large, small = [1, 1, 1], [0, 0, 1]
    baskets = make([large] * 10 + [small] * 10, [large] * 10 + [small] * 10)
    naive, fair = (
        measure_lifts(baskets, SETTINGS.model_copy(update={"size_groups": groups}), seed=0) for groups in (1, 2)
    )
    assert naive.lift[pair(naive, 0, 1)] == pytest.approx(2)
    assert fair.lift[pair(fair, 0, 1)] == pytest.approx(1)


def test_groups_of_similar_size() -> None:
    baskets = matrix([[1, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 1]])
    assert group_sizes(baskets, 2).tolist() == [0, 0, 1, 1]
    assert group_sizes(baskets, 1).tolist() == [0, 0, 0, 0]


def simulate(seed: int, together: float) -> Baskets:
    """200 users with several observations each; where 0 is there, 1 follows `together` times as often."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(200), rng.integers(1, 8, 200))
    before = rng.random((len(user), 5)) < 0.3
    after = rng.random((len(user), 5)) < np.where(before[:, :1] & (np.arange(5) == 1), 0.3 * together, 0.3)
    rows = after.any(axis=1)
    return make(before[rows], after[rows], user=np.unique(user[rows], return_inverse=True)[1])


def test_a_planted_pair_is_the_only_finding() -> None:
    lifts = measure_lifts(simulate(1, together=2), FlowSettings(), seed=0)
    found = (lifts.low > 1) | (lifts.high < 1)
    assert (lifts.source[found].tolist(), lifts.target[found].tolist()) == ([0], [1])


def test_chance_is_rarely_taken_for_a_finding() -> None:
    settings = FlowSettings(resamples=100)
    tables = [measure_lifts(simulate(seed, together=1), settings, seed) for seed in range(60)]
    false = sum(bool(((lifts.low > 1) | (lifts.high < 1)).any()) for lifts in tables)
    assert false <= 8  # 3 expected; more than 8 happen once in 100 such trials


def test_standard_errors_are_those_of_a_plain_bootstrap() -> None:
    baskets, rng = simulate(2, together=1.5), np.random.default_rng(0)
    before, after = baskets.before.toarray()[:, 0], baskets.after.toarray()[:, 1]
    roots = []
    for _ in range(600):
        weights = np.bincount(rng.integers(200, size=200), minlength=200)[baskets.user]
        expected = (weights * before).sum() * (weights * after).sum() / weights.sum()
        roots.append(np.sqrt((weights * before * after).sum() / expected))
    two = Baskets(baskets.before[:, :2], baskets.after[:, :2], baskets.barred[:, :2], baskets.user)
    lifts = measure_lifts(two, FlowSettings(size_groups=1, confidence=0.68), seed=0)
    row = pair(lifts, 0, 1)
    half = (np.sqrt(lifts.high[row]) - np.sqrt(lifts.low[row])) / 2
    critical = simultaneous_bands(np.random.default_rng(0).normal(size=(2, 20_000)), 0.68).critical
    assert half / critical == pytest.approx(np.std(roots), rel=0.12)


def test_bands_of_one_and_of_many() -> None:
    draws = np.random.default_rng(0).normal(size=(1000, 4001))
    draws[:, 0] = 0
    assert simultaneous_bands(draws[:1], 0.95).critical == pytest.approx(1.96, abs=0.1)
    assert simultaneous_bands(draws, 0.95).critical == pytest.approx(4.06, abs=0.15)  # 1 - 0.05 / 1000, two-sided


def test_an_estimate_without_variation_is_exact() -> None:
    bands = simultaneous_bands(np.full((2, 11), 3.0), 0.95)
    assert bands.low.tolist() == bands.high.tolist() == [3, 3]
