import json

import numpy as np
import pytest
from transformed_examples import transformed

from interest_migration.baselines.aggregates import aggregate_index
from interest_migration.baselines.boosted_propensity import BoostedPropensity
from interest_migration.baselines.churn import BoostedChurn, RfmLogit, RfmWindowLogit
from interest_migration.baselines.pair_features import CoInterest
from interest_migration.baselines.settings import BaselineSettings
from interest_migration.baselines.suite import fit_all
from interest_migration.errors import DataError
from interest_migration.evaluation.compare import compare
from interest_migration.evaluation.discrimination import auroc
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import IdSpaces
from schemas.features import AGGREGATE_WIDTH
from schemas.signatures import CHURN_TASKS, RANKING_TASKS

SETTINGS = BaselineSettings(churn_trees=20, pair_trees=20)
SPACES = IdSpaces(categories=6, items=6)
EVALUATION = EvaluationSettings(new_interest_days=56, resamples=10, minimum_positives=1)


def _population(count, seed, *, labelled=True):
    """Users with two interests each who return to them; those with a high recency aggregate leave."""
    rng = np.random.default_rng(seed)
    interests = [rng.choice(np.arange(1, 7), size=2, replace=False).tolist() for _ in range(count)]
    aggregates = np.zeros((count, AGGREGATE_WIDTH), np.float32)
    aggregates[:, :40] = rng.normal(size=(count, 40))  # the visits say nothing
    churn = (aggregates[:, 32] + 0.3 * rng.normal(size=count) > 0.5).astype(int)
    future = [[] if left else [own[0]] for own, left in zip(interests, churn, strict=True)]
    walks = [[own[0], own[1], own[0]] for own in interests]
    labels = {}
    if labelled:
        for horizon in ("short", "long"):
            labels |= {
                f"label_churn_{horizon}": churn,
                f"label_horizon_observed_{horizon}": [1] * count,
                f"label_future_categories_{horizon}": future,
                f"label_new_categories_{horizon}": [[own[1]] for own in interests],
            }
    return transformed(
        count,
        user=[f"user-{number}" for number in range(count)],
        aggregates=aggregates,
        interest_ids=interests,
        interest_count=[[2, 1]] * count,
        interest_recency_days=[[1, 70]] * count,
        interest_decayed_7d=[[1, 0.1]] * count,
        interest_decayed_28d=[[1, 0.2]] * count,
        interest_decayed_112d=[[1, 0.5]] * count,
        category_ids=walks,
        item_ids=walks,
        action_ids=[[1, 1, 1]] * count,
        step_index=[[2, 1, 0]] * count,
        label_next_categories=[[own[1]] for own in interests],
        label_next_items=[[own[1]] for own in interests],
        label_switched=[1] * count,
        **labels,
    )


TRAIN, TEST = _population(400, 0), _population(100, 1)


def test_aggregate_columns_by_name():
    assert aggregate_index("window_events", 3) == 1
    assert aggregate_index("window_spend", 365) == 23
    assert aggregate_index("recency_days") == 32
    assert aggregate_index("gap_last_days") == 39


@pytest.mark.parametrize(
    "baseline", [RfmLogit("short"), RfmWindowLogit("short"), BoostedChurn("short", SETTINGS)], ids=lambda b: b.name
)
def test_churn_is_learned_as_probabilities(baseline):
    baseline.fit(TRAIN)
    scores = baseline.score(TEST)
    assert scores.shape == (100,)
    assert ((scores > 0) & (scores < 1)).all()
    assert auroc(scores, TEST["label_churn_short"] == 1) > 0.9


@pytest.mark.parametrize("labels", [[-1] * 5, [0] * 5])
def test_churn_needs_both_classes(labels):
    with pytest.raises(DataError, match="expected training examples with 'label_churn_long' 0 and 1"):
        RfmLogit("long").fit(transformed(5, label_churn_long=labels))


def test_co_interest_is_the_cosine_over_each_users_newest_profile():
    train = transformed(
        4,
        user=["a", "a", "b", "c"],
        cut_time_s=[1, 2, 1, 1],
        interest_ids=[[3], [1, 2], [1], [1, 2]],
        interest_count=[[1], [1, 1], [1], [1, 1]],
    )
    similarity = CoInterest.count(train, 3).similarity
    assert similarity[0].tolist() == pytest.approx([0, 2 / np.sqrt(3 * 2), 0])
    assert similarity[2].tolist() == [0, 0, 0]


def test_boosted_propensity_finds_who_returns_to_what():
    baseline = BoostedPropensity("short", SPACES, SETTINGS)
    baseline.fit(TRAIN)
    scores = baseline.score(TEST)
    assert scores.shape == (100, 6)
    returned = np.zeros((100, 6), bool)
    for row, own in enumerate([TEST["label_future_categories_short"][row] for row in range(100)]):
        returned[row, own - 1] = True
    assert auroc(scores.ravel(), returned.ravel()) > 0.97


def test_boosted_propensity_is_the_same_for_the_same_seed():
    first, again = (BoostedPropensity("long", SPACES, SETTINGS) for _ in range(2))
    first.fit(TRAIN)
    again.fit(TRAIN)
    assert np.array_equal(first.score(TEST), again.score(TEST))


def test_suite_serves_every_task_and_ignores_the_labels_it_scores():
    suite = fit_all(TRAIN, SPACES, SETTINGS)
    scores = suite.score_all(TEST)
    assert set(scores) == {*CHURN_TASKS, *RANKING_TASKS}
    assert suite.skipped == {}
    assert {time.baseline for time in suite.fit_times} == {name for methods in scores.values() for name in methods}
    assert all(time.cpu_seconds >= 0 for time in suite.fit_times)
    blind = suite.score_all({name: column for name, column in TEST.items() if not name.startswith("label_")})
    assert np.array_equal(blind["churn_short"]["boosted_churn"], scores["churn_short"]["boosted_churn"])
    assert np.array_equal(blind["next_category"]["markov"], scores["next_category"]["markov"])


def test_log_too_short_for_the_horizons_skips_and_reports():
    train, test = _population(50, 0, labelled=False), _population(50, 1, labelled=False)
    suite = fit_all(train, SPACES, SETTINGS)
    assert set(suite.skipped) == {task for task in (*CHURN_TASKS, *RANKING_TASKS) if not task.startswith("next_")}
    scores = suite.score_all(test)
    assert set(scores) == {"next_category", "next_item"}
    report = compare(test, {}, scores, SPACES, EVALUATION, 0, suite.skipped)
    assert "received no known label" in report.find("churn_short", "auroc", "rfm_logit").note
    assert report.find("next_category", "hit_at_5", "user_frequent", "switched").value == 1
    assert json.loads(report.to_json())["comparisons"] == []
