"""Feature by feature: drift is found where it is put in, and chance does not block."""

import numpy as np
import pytest

from interest_migration.data_gate.comparisons import Comparison
from interest_migration.data_gate.distributions import Distribution, Histogram, from_counts
from interest_migration.data_gate.settings import Limits
from interest_migration.gates.decision import Check, CheckVerdict

CATEGORIES = ("shoes", "socks", "phones", "cases", "books", "lamps")


def compare(before: Distribution | None, now: Distribution | None, limits: Limits) -> list[Check]:
    comparison = Comparison(
        rule="drift",
        what="feature",
        where="test split of span 8",
        reference="the test split of span 7",
        limits=lambda name: limits,
        false_alarm=0.001,
        min_size=30,
        examples=100,
    )
    sides = [{} if side is None else {"price": side} for side in (before, now)]
    return list(comparison.checks(["price", "unknown"], *sides))


def counts(*numbers: int) -> Distribution:
    return from_counts(dict(zip(CATEGORIES, numbers, strict=False)), sum(numbers))


BITS = Limits(jensen_shannon=0.05)


def test_a_change_beyond_the_limit_and_beyond_chance_breaks_it_and_says_how():
    (check,) = compare(counts(500, 500), counts(900, 100), BITS)
    assert check.verdict is CheckVerdict.BROKEN
    assert check.value == pytest.approx(0.1468, abs=1e-3)
    assert check.reason.startswith("drift: feature price, test split of span 8, lies 0.147 (Jensen-Shannon divergence")
    assert "from the test split of span 7" in check.reason
    assert "expected at most 0.05 beyond chance; most moved: shoes 50.0% -> 90.0%" in check.reason


def test_a_change_within_the_limit_passes():
    (check,) = compare(counts(500, 500), counts(550, 450), BITS)
    assert check.verdict is CheckVerdict.PASSED
    assert "within the 0.05 allowed" in check.reason


def test_a_change_that_chance_can_explain_passes_and_says_so():
    (check,) = compare(counts(20, 20), counts(30, 10), BITS)
    assert check.value > 0.03
    (tighter,) = compare(counts(20, 20), counts(30, 10), Limits(jensen_shannon=0.02))
    assert tighter.verdict is CheckVerdict.UNDECIDED
    assert "which chance can explain" in tighter.reason


def test_both_distances_can_be_bounded():
    checks = compare(counts(500, 500), counts(700, 300), Limits(jensen_shannon=0.5, l_infinity=0.1))
    assert [check.verdict for check in checks] == [CheckVerdict.PASSED, CheckVerdict.BROKEN]
    assert checks[1].value == pytest.approx(0.2)


def test_without_limits_nothing_is_compared():
    assert compare(counts(500, 500), counts(900, 100), Limits()) == []


def test_too_few_users_are_not_judged():
    (check,) = compare(counts(500, 500), counts(10, 5), BITS)
    assert check.verdict is CheckVerdict.SKIPPED
    assert "only 15 independent observations" in check.reason


def test_a_feature_that_is_gone_breaks_the_limit():
    (check,) = compare(counts(500, 500), None, BITS)
    assert check.verdict is CheckVerdict.BROKEN
    assert "(missing) 0.0% -> 100.0%" in check.reason


def test_a_feature_that_changed_its_type_breaks_the_limit():
    numbers = Distribution({}, 500, histogram=Histogram(np.array([0.0]), np.array([1.0]), np.array([1.0])))
    (check,) = compare(counts(500, 500), numbers, BITS)
    assert check.verdict is CheckVerdict.BROKEN
    assert "changed its type" in check.reason


def clustered(random: np.random.Generator, users: int, shares: np.ndarray) -> Distribution:
    """Users who each have a taste of their own and very different numbers of events."""
    counts_of = np.zeros(len(shares))
    numbers = random.zipf(1.7, users).clip(max=200)
    for number in numbers:
        counts_of += random.multinomial(number, random.dirichlet(shares * 2))
    size = numbers.sum() ** 2 / (numbers.astype(float) ** 2).sum()
    return from_counts(dict(zip(CATEGORIES, counts_of.tolist(), strict=True)), float(size))


def test_resamples_of_one_population_rarely_break_even_a_narrow_limit():
    """400 pairs of samples of users who cluster: counting events instead of users would break most of them."""
    random, shares = np.random.default_rng(7), np.array([0.3, 0.25, 0.2, 0.15, 0.05, 0.05])
    limit, broken, naive = Limits(jensen_shannon=0.005), 0, 0
    for _ in range(400):
        pair = [clustered(random, 150, shares) for _ in range(2)]
        checks = compare(*pair, limit)
        broken += any(check.verdict is CheckVerdict.BROKEN for check in checks)
        as_events = [Distribution(side.shares, side.size * 20) for side in pair]
        naive += any(check.verdict is CheckVerdict.BROKEN for check in compare(*as_events, limit))
    assert broken <= 4
    assert naive > 100


def test_an_injected_change_is_found_in_the_same_population():
    random, shares = np.random.default_rng(8), np.array([0.3, 0.25, 0.2, 0.15, 0.05, 0.05])
    moved = shares[::-1]
    found = 0
    for _ in range(50):
        (check,) = compare(clustered(random, 600, shares), clustered(random, 600, moved), BITS)
        found += check.verdict is CheckVerdict.BROKEN
    assert found >= 40
