import numpy as np
import pytest
from transformed_examples import transformed

from interest_migration.baselines.categories import CategoryPopularity, OlderCounts, RecencyWeighted, UserFrequent
from interest_migration.baselines.next_category import Markov, RecentThenMarkov, RepeatLast
from interest_migration.baselines.next_item import FrequentItems, ItemPopularity, ItemTransitions
from interest_migration.baselines.profiles import profile_matrix
from interest_migration.baselines.settings import BaselineSettings
from interest_migration.errors import DataError
from interest_migration.evaluation.spaces import IdSpaces

SPACES = IdSpaces(categories=4, items=4)


def _walks(walks, labels=None):
    """One event per step; items are the categories."""
    return transformed(
        len(walks),
        user=[f"user-{number}" for number in range(len(walks))],
        category_ids=walks,
        item_ids=walks,
        action_ids=[[1] * len(walk) for walk in walks],
        step_index=[list(range(len(walk)))[::-1] for walk in walks],
        label_next_categories=labels or [[] for _ in walks],
        label_next_items=labels or [[] for _ in walks],
    )


TRAIN = _walks([[1, 2, 3], [1, 2, 1], [3, 2, 3]])  # reached: 1 once, 2 three times, 3 twice


def _order(scores):
    return [(np.argsort(-row, kind="stable") + 1).tolist() for row in np.asarray(scores)]


def test_repeat_last_then_popularity():
    baseline = RepeatLast(SPACES)
    baseline.fit(TRAIN)
    assert _order(baseline.score(_walks([[2, 1], []]))) == [[1, 2, 3, 4], [2, 3, 1, 4]]


def test_markov_follows_the_newest_step_then_popularity():
    baseline = Markov(SPACES)
    baseline.fit(TRAIN)
    scores = baseline.score(_walks([[1, 2], [4]]))
    assert scores[0, :3].tolist() == pytest.approx([1 / 3, 0, 2 / 3], abs=1e-5)
    assert _order(scores) == [[3, 1, 2, 4], [2, 3, 1, 4]]


def test_markov_averages_over_a_basket():
    train = _walks([[1, 3], [2, 4]])
    baseline = Markov(SPACES)
    baseline.fit(train)
    basket = transformed(1, category_ids=[[1, 2]], item_ids=[[1, 2]], action_ids=[[1, 1]], step_index=[[0, 0]])
    assert baseline.score(basket)[0].tolist() == pytest.approx([0, 0, 0.5, 0.5], abs=1e-5)


def test_recent_categories_come_before_markov():
    baseline = RecentThenMarkov(SPACES)
    baseline.fit(TRAIN)
    assert _order(baseline.score(_walks([[4, 1, 2]]))) == [[2, 1, 4, 3]]
    assert _order(baseline.score(_walks([[2]]))) == [[2, 3, 1, 4]]


def test_item_transitions_add_up_over_the_newest_steps():
    baseline = ItemTransitions(SPACES, BaselineSettings(item_history_steps=2, item_step_decay=0.5))
    baseline.fit(TRAIN)
    scores = baseline.score(_walks([[3, 1, 2]]))(0, 1)
    assert scores[0].tolist() == pytest.approx([1, 0.5 * 2, 2, 0], abs=1e-3)


def test_item_transitions_score_blocks_as_the_whole():
    baseline = ItemTransitions(SPACES, BaselineSettings())
    baseline.fit(TRAIN)
    scorer = baseline.score(_walks([[1, 2], [], [3]]))
    assert np.array_equal(np.concatenate([scorer(0, 1), scorer(1, 3)]), scorer(0, 3))


def test_item_popularity_and_own_items():
    train = _walks([[1], [1], [1]], labels=[[2], [2, 3], []])
    popularity, frequent = ItemPopularity(SPACES), FrequentItems(SPACES)
    popularity.fit(train)
    frequent.fit(train)
    examples = _walks([[3, 1, 3, 5], []])
    assert popularity.score(examples)(0, 2).tolist() == [[0, 1, 0.5, 0]] * 2
    assert frequent.score(examples)(0, 2).tolist() == [[1, 0.5, 2.25, 0], [0, 0.5, 0.25, 0]]


def test_category_popularity_counts_labels_of_observed_horizons():
    train = transformed(
        3, label_horizon_observed_short=[1, 1, 0], label_future_categories_short=[[1, 5], [1, 2], [3, 3]]
    )
    baseline = CategoryPopularity("propensity_short", SPACES)
    baseline.fit(train)
    assert baseline.score(transformed(2)).tolist() == [[1, 0.5, 0, 0]] * 2


def test_recency_weighted_puts_every_touched_category_first():
    train = transformed(1, label_horizon_observed_long=[1], label_future_categories_long=[[4]])
    baseline = RecencyWeighted("propensity_long", SPACES)
    baseline.fit(train)
    examples = transformed(1, interest_ids=[[3, 1, 5]], interest_decayed_28d=[[0.001, 2.5, 9]])
    assert _order(baseline.score(examples)) == [[1, 3, 4, 2]]


def test_older_counts_then_popularity_among_new_interests():
    train = transformed(1, label_horizon_observed_long=[1], label_new_categories_long=[[2]])
    baseline = OlderCounts("new_interest_long", SPACES)
    baseline.fit(train)
    examples = transformed(1, interest_ids=[[4, 3]], interest_count=[[1, 7]])
    assert _order(baseline.score(examples)) == [[3, 4, 2, 1]]


def test_user_frequent_serves_the_next_category():
    baseline = UserFrequent("next_category", SPACES)
    baseline.fit(transformed(1, label_next_categories=[[2]]))
    assert baseline.tasks == ("next_category",)
    examples = transformed(1, interest_ids=[[4]], interest_count=[[1]])
    assert _order(baseline.score(examples)) == [[4, 2, 1, 3]]


@pytest.mark.parametrize("task", ["next_category", "propensity_short", "new_interest_long"])
def test_popularity_without_labels_is_an_error(task):
    with pytest.raises(DataError, match="received none"):
        CategoryPopularity(task, SPACES).fit(transformed(2))


def test_profile_matrix_drops_unknown_ids_and_fills():
    examples = transformed(2, interest_ids=[[3, 5, 1], []], interest_count=[[5, 9, 2], []])
    assert profile_matrix(examples, "interest_count", 3, missing=-1).tolist() == [[2, -1, 5], [-1, -1, -1]]
