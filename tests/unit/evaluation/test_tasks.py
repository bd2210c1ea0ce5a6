import math

import numpy as np
import pytest
from transformed_examples import transformed

from interest_migration.errors import ContractError
from interest_migration.evaluation.bootstrap import Resamples
from interest_migration.evaluation.scores import RankedItems
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import IdSpaces
from interest_migration.evaluation.tasks import build_tasks, new_interest_candidates
from schemas.signatures import CHURN_TASKS, RANKING_TASKS

SPACES = IdSpaces(categories=3, items=4)
SETTINGS = EvaluationSettings(new_interest_days=56, minimum_positives=1, scored_rows=2)


def _tasks(examples, settings=SETTINGS):
    return {task.name: task for task in build_tasks(examples, SPACES, settings)}


def _measure(examples, task, scores):
    measured = _tasks(examples)[task].measure(scores, Resamples.none(len(examples["user"])))
    return {f"{subset}/{metric}": float(value.draws[0]) for (subset, metric), value in measured.items()}


def test_tasks_and_measures_are_those_of_the_signatures():
    tasks = _tasks(transformed(1))
    assert set(tasks) == {*CHURN_TASKS, *RANKING_TASKS}
    for name, measures in RANKING_TASKS.items():
        assert {("all", measure) for measure in measures} <= set(tasks[name].metrics)


def test_unknown_churn_is_left_out():
    examples = transformed(4, label_churn_short=[1, 0, -1, 0])
    measured = _measure(examples, "churn_short", np.array([0.9, 0.2, 0.0, 0.1]))
    assert measured["all/auroc"] == 1
    assert measured["all/brier"] == pytest.approx((0.01 + 0.04 + 0.01) / 3)
    assert _tasks(examples)["churn_short"].known == 3


def test_scores_that_are_no_probabilities_have_no_calibration():
    examples = transformed(2, label_churn_short=[1, 0])
    task = _tasks(examples)["churn_short"]
    measured = task.measure(np.array([3.0, -1.0]), Resamples.none(2))
    assert measured["all", "auroc"].draws[0] == 1
    assert math.isnan(measured["all", "expected_calibration_error"].draws[0])
    assert measured["all", "brier"].note == "scores outside [0, 1] are not probabilities"


def test_one_class_is_undefined_with_the_reason():
    measured = _tasks(transformed(2, label_churn_long=[0, 0]))["churn_long"].measure(np.zeros(2), Resamples.none(2))
    assert math.isnan(measured["all", "auroc"].draws[0])
    assert measured["all", "auroc"].note == "expected both classes, received 0 positives among 2 examples"


@pytest.mark.parametrize("name", sorted({*CHURN_TASKS, *RANKING_TASKS}))
def test_without_known_labels_every_metric_is_undefined_with_the_reason(name):
    examples = transformed(2, label_horizon_observed_short=[0, 0], label_horizon_observed_long=[0, 0])
    task = _tasks(examples)[name]
    measured = task.measure(np.zeros(2), Resamples.none(2))
    assert set(measured) == set(task.metrics)
    assert all(math.isnan(value.draws[0]) for value in measured.values())
    assert {value.note for value in measured.values()} == {f"no example has a known label of {name}"}


def test_propensity_covers_observed_examples_and_ignores_ids_outside_the_vocabulary():
    examples = transformed(
        3,
        label_horizon_observed_short=[1, 1, 0],
        label_future_categories_short=[[1, 4], [], [2]],
    )
    scores = np.array([[0.3, 0.2, 0.1], [0.2, 0.2, 0.3], [0.0, 0.9, 0]])
    measured = _measure(examples, "propensity_short", scores)
    assert measured.pop("all/expected_calibration_error") == pytest.approx((0.4 + 0.6 + 0.1) / 6)
    assert measured.pop("all/brier") == pytest.approx((0.49 + 0.04 + 0.01 + 0.04 + 0.04 + 0.09) / 6)
    assert measured == {"all/macro_auroc": 1.0, "all/user_auc": 1.0, "all/ndcg_at_10": 1.0}


def test_new_interest_candidates_were_not_touched_in_the_window():
    examples = transformed(2, interest_ids=[[2, 1], [4, 3]], interest_recency_days=[[10, 60], [1, 56]])
    assert new_interest_candidates(examples, SPACES, 56).tolist() == [[1, 0, 1], [1, 1, 0]]


def test_new_interests_are_ranked_among_candidates_only():
    examples = transformed(
        1,
        label_horizon_observed_long=[1],
        label_new_categories_long=[[3]],
        interest_ids=[[1]],
        interest_recency_days=[[2]],
    )
    measured = _measure(examples, "new_interest_long", np.array([[9.0, 1, 2]]))
    assert measured == {"all/user_auc": 1.0, "all/hit_at_10": 1.0, "all/ndcg_at_10": 1.0}


def test_next_category_by_subset():
    examples = transformed(3, label_next_categories=[[1], [2], [4]], label_switched=[0, 1, 1])
    task = _tasks(examples)["next_category"]
    measured = task.measure(np.array([[2.0, 1, 0]] * 3), Resamples.none(3))
    values = {key: float(value.draws[0]) for key, value in measured.items()}
    assert values["all", "hit_at_1"] == 0.5
    assert values["repeated", "hit_at_1"] == 1
    assert values["switched", "hit_at_1"] == 0
    assert values["switched", "reciprocal_rank"] == 0.5
    assert values["all", "accuracy"] == 0.5
    assert measured["all", "hit_at_1"].examples == 2
    assert measured["all", "hit_at_1"].note == "1 examples left out: all their labels are out of vocabulary"


def test_next_category_without_any_switch_is_undefined_on_switches():
    examples = transformed(1, label_next_categories=[[1]], label_switched=[0])
    measured = _measure(examples, "next_category", np.array([[1.0, 0, 0]]))
    assert math.isnan(measured["switched/hit_at_5"])
    assert math.isnan(measured["switched/macro_f1"])


def test_next_item_in_blocks_equals_the_whole_matrix():
    examples = transformed(3, label_next_items=[[1], [4, 2], []])
    scores = np.array([[1.0, 2, 3, 4], [1.0, 2, 3, 4], [0.0, 0, 0, 0]])
    whole = _measure(examples, "next_item", scores)
    blocks = _measure(examples, "next_item", lambda start, stop: scores[start:stop])
    assert whole == blocks
    assert whole["all/reciprocal_rank"] == pytest.approx((1 / 4 + 1) / 2)


def test_ranked_lists_are_scores():
    ranked = RankedItems(np.array([[3, 1], [5, 0]]), items=4)
    assert ranked(0, 2).tolist() == [[1, 0, 2, 0], [0, 0, 0, 0]]


def test_ranked_lists_refuse_unknown_ids():
    with pytest.raises(ContractError, match=r"expected item ids 0\.\.5, received 6\.\.6"):
        RankedItems(np.array([[6]]), items=4)(0, 1)


def test_nan_scores_are_undefined_not_an_error():
    examples = transformed(2, label_churn_short=[1, 0])
    measured = _tasks(examples)["churn_short"].measure(np.array([np.nan, 0.0]), Resamples.none(2))
    assert measured["all", "auroc"].note == "1 scores are NaN"
    assert math.isnan(measured["all", "auroc"].draws[0])


def test_scores_of_the_wrong_shape_are_an_error():
    examples = transformed(2, label_churn_short=[1, 0])
    with pytest.raises(ContractError, match=r"expected scores of shape \(2,\), received \(3,\)"):
        _measure(examples, "churn_short", np.zeros(3))
