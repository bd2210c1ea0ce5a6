"""Headline metrics at each cut time."""

import numpy as np
import pytest
from transformed_examples import transformed

from interest_migration.evaluation.compare import compare
from interest_migration.evaluation.cuts import MOST_CUTS, add_cuts, cut_name
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import IdSpaces

SPACES = IdSpaces(categories=3, items=4)
SETTINGS = EvaluationSettings(new_interest_days=56, resamples=20, minimum_positives=1)
LABELS = np.arange(40) % 2
DAY_S = 86_400


def both(cuts):
    examples = transformed(40, user=[f"u{row}" for row in range(40)], label_churn_short=LABELS, cut_time_s=cuts)
    right = np.where(cuts == cuts[0], LABELS, 1 - LABELS).astype(float)  # right at the first cut, wrong at the others
    scores = (examples, {"churn_short": right}, {"churn_short": {"wrong": 1 - right}}, SPACES, SETTINGS)
    before = compare(*scores, seed=0)
    return before, add_cuts(before, *scores)


def test_each_cut_is_measured_by_itself():
    before, after = both(np.repeat([DAY_S, 3 * DAY_S], 20))
    assert after.values[: len(before.values)] == before.values
    found = [after.find("churn_short", "auroc", method, "1970-01-02").value for method in ("model", "wrong")]
    assert found == [1.0, 0.0]
    assert after.find("churn_short", "auroc", "model", "1970-01-04").value == 0.0
    assert after.find("churn_short", "auroc", "model", "1970-01-04").examples == 20
    assert after.difference("churn_short", "auroc", "wrong", "1970-01-02").difference == 1.0
    assert after.find("churn_short", "brier", "model", "1970-01-02") is None


@pytest.mark.parametrize("cuts", [1, MOST_CUTS + 1])
def test_one_cut_or_too_many_add_nothing(cuts):
    before, after = both(np.arange(40) * cuts // 40 * DAY_S)
    assert after == before


def test_a_cut_has_its_time_where_it_is_not_midnight():
    assert cut_name(DAY_S + 61) == "1970-01-02T00:01:01"
