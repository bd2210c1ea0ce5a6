import math

import numpy as np
import pytest

from interest_migration.errors import ContractError
from interest_migration.evaluation import bootstrap
from interest_migration.evaluation.bootstrap import Resamples, divide, percentile_interval

WORKED = Resamples(np.array([0, 0, 1]), np.array([[1, 2, 0], [1, 0, 2]], np.float32))


def test_worked_example_of_the_module():
    assert WORKED.mean(np.array([0.0, 1.0, 1.0])).tolist() == pytest.approx([2 / 3, 0.5, 1.0])


def test_mean_leaves_nan_out_and_is_nan_without_values():
    means = WORKED.mean(np.array([np.nan, 3.0, np.nan]))
    assert means[:2].tolist() == [3.0, 3.0]
    assert math.isnan(means[2])


def test_group_sums_by_group_and_resample():
    assert WORKED.group_sums(np.array([1, 0, 1]), 2).tolist() == [[1, 2, 0], [2, 2, 2]]
    assert WORKED.group_sums(np.array([1, 0, 1]), 2, np.array([5.0, 7.0, 1.0])).tolist() == [[7, 14, 0], [6, 10, 2]]


def test_group_sums_need_one_group_per_example():
    with pytest.raises(ContractError, match="expected 3 group numbers, received 2"):
        WORKED.group_sums(np.array([0, 1]), 2)


def test_all_examples_of_a_user_share_a_weight_and_each_resample_draws_every_user_once_on_average():
    resamples = Resamples.draw(np.array(["b", "a", "b", "c"]), 50, seed=3)
    assert resamples.clusters.tolist() == [1, 0, 1, 2]
    assert resamples.weights.shape == (3, 51)
    assert (resamples.weights[:, 0] == 1).all()
    assert (resamples.weights.sum(axis=0) == 3).all()


def test_same_seed_gives_the_same_resamples_and_another_seed_others():
    users = np.arange(100)
    first, again, other = (Resamples.draw(users, 5, seed).weights for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_many_users_are_pooled_into_groups():
    resamples = Resamples.draw(np.arange(7), 2, seed=0, maximum_clusters=3)
    assert resamples.clusters.tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert resamples.weights.shape == (3, 3)


def test_blocks_cover_all_resamples_in_order(monkeypatch):
    monkeypatch.setattr(bootstrap, "_BLOCK_CELLS", 20)
    parts = [block.weights for block in WORKED.blocks(groups=10)]
    assert [part.shape[1] for part in parts] == [2, 1]
    assert np.array_equal(np.concatenate(parts, axis=1), WORKED.weights)


def test_interval_is_the_central_share_of_the_resamples():
    interval = percentile_interval(np.array([0.5, *np.arange(101)]), 0.9)
    assert (interval.low, interval.high) == pytest.approx((5, 95))


@pytest.mark.parametrize(
    "draws",
    [[0.5], [0.5, np.nan, np.nan, 1.0], [np.nan, 1.0, 1.0]],
    ids=["no resamples", "mostly undefined", "no value"],
)
def test_interval_is_undefined(draws):
    assert math.isnan(percentile_interval(np.array(draws), 0.95).low)


def test_interval_covers_the_standard_error_of_a_clustered_mean():
    rng = np.random.default_rng(0)
    effects = rng.normal(size=400)
    users = np.repeat(np.arange(400), 5)
    draws = Resamples.draw(users, 400, seed=0).mean(effects[users])
    interval = percentile_interval(draws, 0.95)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * effects.std() / 20, rel=0.15)


def test_no_examples_give_undefined_means():
    empty = Resamples.draw(np.array([], str), 3, seed=0)
    assert np.isnan(empty.mean(np.array([]))).all()


def test_divide_by_zero_is_nan():
    assert np.isnan(divide(np.array([1.0, 0.0]), np.array([0.0, 0.0]))).all()
