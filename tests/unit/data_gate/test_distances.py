"""Distances by hand, and how often chance alone breaks a limit."""

import numpy as np
import pytest

from interest_migration.data_gate.distances import jensen_shannon, l_infinity, measure
from interest_migration.data_gate.distributions import Aligned

NAMES = tuple("abcdefgh")


def pair(before: list[float], now: list[float], size: float = 1000, other: float | None = None) -> Aligned:
    values = tuple(f"v{number}" for number in range(len(before)))
    return Aligned(values, np.array(before), np.array(now), (size, size if other is None else other))


@pytest.mark.parametrize(
    ("before", "now", "bits"),
    [
        ([0.5, 0.5], [0.5, 0.5], 0.0),
        ([1.0, 0.0], [0.0, 1.0], 1.0),
        # middle (3/4, 1/4): 1/2 [1/2 log2(2/3) + 1/2 log2 2] + 1/2 log2(4/3) = 0.3113
        ([0.5, 0.5], [1.0, 0.0], 0.311278),
        # middle (0.7, 0.3): 1/2 [0.8 log2(8/7) + 0.2 log2(2/3) + 0.6 log2(6/7) + 0.4 log2(4/3)] = 0.0349
        ([0.8, 0.2], [0.6, 0.4], 0.034852),
    ],
)
def test_jensen_shannon_in_bits(before: list[float], now: list[float], bits: float):
    assert jensen_shannon(np.array(before), np.array(now)) == pytest.approx(bits, abs=1e-6)
    assert jensen_shannon(np.array(now), np.array(before)) == pytest.approx(bits, abs=1e-6)


def test_l_infinity_is_the_largest_change_of_a_share():
    assert l_infinity(np.array([0.5, 0.3, 0.2]), np.array([0.5, 0.1, 0.4])) == pytest.approx(0.2)


def test_chance_gives_what_theory_says():
    """The mean under chance is about (K - 1) / (8 ln 2) (1 / n + 1 / m) for values that are not rare."""
    distance = measure(pair([0.125] * 8, [0.125] * 8, 400, 100), "jensen_shannon")
    assert distance.by_chance == pytest.approx(7 / (8 * np.log(2)) * (1 / 400 + 1 / 100), rel=0.1)


def test_what_moved_most_comes_first():
    distance = measure(pair([0.5, 0.3, 0.2], [0.5, 0.1, 0.41]), "l_infinity")
    assert [name for name, _, _ in distance.moved] == ["v2", "v1"]
    assert distance.moved[0] == ("v2", pytest.approx(0.2), pytest.approx(0.41))


def test_the_same_shares_are_no_surprise_and_a_real_change_is():
    assert measure(pair([0.5, 0.5], [0.5, 0.5]), "jensen_shannon").p_value > 0.9
    changed = measure(pair([0.5, 0.5], [0.8, 0.2], 200), "jensen_shannon")
    assert changed.p_value < 1e-6
    assert changed.beyond_chance == pytest.approx(changed.value - changed.by_chance)


def test_the_same_change_in_a_small_sample_can_be_chance():
    assert measure(pair([0.5, 0.5], [0.7, 0.3], 10), "jensen_shannon").p_value > 0.05
    assert measure(pair([0.5, 0.5], [0.7, 0.3], 1000), "jensen_shannon").p_value < 1e-9


def test_a_single_value_is_always_the_same():
    distance = measure(pair([1.0], [1.0]), "jensen_shannon")
    assert (distance.value, distance.p_value) == (0.0, 1.0)


@pytest.mark.parametrize("name", ["jensen_shannon", "l_infinity"])
@pytest.mark.parametrize("size", [40, 400])
def test_chance_alone_is_significant_as_rarely_as_promised(name: str, size: int):
    """600 pairs of samples of one distribution: 1 in 100 may have p < 0.01."""
    random = np.random.default_rng(size)
    shares = random.dirichlet(np.full(12, 0.7))
    samples = random.multinomial(size, shares, size=(600, 2)) / size
    p_values = [
        measure(pair(first.tolist(), second.tolist(), size), name).p_value  # type: ignore[arg-type]
        for first, second in samples
    ]
    assert np.mean(np.array(p_values) < 0.01) <= 0.025
    assert np.mean(np.array(p_values) < 0.001) <= 0.007
