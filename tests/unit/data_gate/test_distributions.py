import numpy as np
import pytest

from interest_migration.data_gate.distances import jensen_shannon
from interest_migration.data_gate.distributions import (
    MISSING,
    REST,
    Distribution,
    Histogram,
    align,
    from_counts,
)


def quantiles(values: np.ndarray, size: float = 100, missing: float = 0.0) -> Distribution:
    """Ten ranges of equal weight, as statistics come."""
    edges = np.quantile(values, np.linspace(0, 1, 11))
    shares = {MISSING: missing} if missing else {}
    return Distribution(shares, size, histogram=Histogram(edges[:-1], edges[1:], np.full(10, 0.1)))


def distance(before: Distribution, now: Distribution) -> float:
    pair = align(before, now)
    assert pair.before.sum() == pytest.approx(1)
    assert pair.now.sum() == pytest.approx(1)
    return float(jensen_shannon(pair.before, pair.now))


def test_counts_become_shares():
    assert from_counts({"a": 3, "b": 1}, 4).shares == {"a": 0.75, "b": 0.25}


def test_values_of_either_side_are_aligned():
    pair = align(from_counts({"a": 1, "b": 1}, 2), from_counts({"b": 1, "c": 3}, 4))
    assert pair.values == ("a", "b", "c", REST)
    assert pair.before.tolist() == [0.5, 0.5, 0.0, 0.0]
    assert pair.now.tolist() == [0.0, 0.25, 0.75, 0.0]
    assert pair.sizes == (2, 4)


def test_missing_values_count_as_a_value():
    assert distance(Distribution({"a": 1.0}, 10), Distribution({MISSING: 1.0}, 10)) == 1.0


def test_a_value_that_one_side_may_only_not_list_is_given_the_benefit_of_the_doubt():
    listed = Distribution({"a": 0.5, "b": 0.1}, 10, rest=0.4, largest_rest=0.1)
    other = Distribution({"a": 0.5, "c": 0.05}, 10, rest=0.45, largest_rest=0.05)
    pair = align(listed, other)
    before, now = dict(zip(pair.values, pair.before, strict=True)), dict(zip(pair.values, pair.now, strict=True))
    assert before["c"] == pytest.approx(0.05)
    assert now["b"] == pytest.approx(0.05)
    assert before[REST] == pytest.approx(0.35)
    assert now[REST] == pytest.approx(0.40)


def test_vocabularies_without_a_common_value_are_far_apart_even_where_only_the_top_is_listed():
    first = Distribution({f"a{number}": 0.018 for number in range(50)}, 10, rest=0.1, largest_rest=0.002)
    second = Distribution({f"b{number}": 0.018 for number in range(50)}, 10, rest=0.1, largest_rest=0.002)
    assert distance(first, second) > 0.5


def test_numbers_of_one_distribution_lie_close_and_shifted_ones_do_not():
    random = np.random.default_rng(0)
    prices = random.lognormal(1, 1, 4000)
    assert distance(quantiles(prices[:2000]), quantiles(prices[2000:])) < 0.005
    assert distance(quantiles(prices), quantiles(prices * 2)) > 0.05
    assert distance(quantiles(prices), quantiles(prices + 1000)) > 0.99


def test_a_common_number_counts_as_a_value_of_its_own():
    zeros = Histogram(np.array([0.0, 0.0]), np.array([0.0, 10.0]), np.array([0.8, 0.2]))
    pair = align(Distribution({}, 10, histogram=zeros), Distribution({}, 10, histogram=zeros))
    assert pair.values[0] == "0"
    assert pair.before[0] == pytest.approx(0.8)


def test_ranges_hold_about_a_tenth_each():
    values = np.random.default_rng(1).normal(size=5000)
    pair = align(quantiles(values), quantiles(values))
    assert 8 <= len(pair.values) - 1 <= 10
    assert pair.values[-1] == MISSING
    assert pair.before.max() < 0.25


def test_missing_numbers_count_too():
    values = np.arange(100.0)
    pair = align(quantiles(values), quantiles(values, missing=0.5))
    assert pair.now[-1] == 0.5
    assert distance(quantiles(values), quantiles(values, missing=0.5)) > 0.2
    assert distance(quantiles(values), Distribution({MISSING: 1.0}, 10)) == pytest.approx(1.0)


def test_shares_below_a_point_spread_evenly_in_a_range():
    histogram = Histogram(np.array([0.0, 10.0]), np.array([10.0, 10.0]), np.array([0.6, 0.4]))
    points = np.array([0.0, 5.0, 10.0])
    assert histogram.below(points, inclusive=False).tolist() == pytest.approx([0.0, 0.3, 0.6])
    assert histogram.below(points, inclusive=True).tolist() == pytest.approx([0.0, 0.3, 1.0])


def test_numbers_and_texts_cannot_be_compared():
    with pytest.raises(ValueError, match="numbers and texts"):
        align(quantiles(np.arange(10.0)), from_counts({"a": 1}, 1))
