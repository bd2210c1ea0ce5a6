import json
import math

import numpy as np
from transformed_examples import transformed

from interest_migration.evaluation.compare import compare
from interest_migration.evaluation.results import EvaluationReport
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import IdSpaces
from interest_migration.evaluation.summary import summarise

SPACES = IdSpaces(categories=3, items=4)
SETTINGS = EvaluationSettings(new_interest_days=56, resamples=60, minimum_positives=1)
LABELS = np.arange(40) % 2


def _report(seed=0, settings=SETTINGS):
    examples = transformed(40, user=[f"secret-{row // 2}" for row in range(40)], label_churn_short=LABELS)
    noise = np.random.default_rng(0).random(40)
    model = {"churn_short": 0.5 * LABELS + 0.5 * noise, "churn_long": noise}
    baselines = {"churn_short": {"noise": noise, "same": 0.5 * LABELS + 0.5 * noise}}
    skipped = {"churn_long": {"rfm_logit": "expected training examples, received none"}}
    return compare(examples, model, baselines, SPACES, settings, seed, skipped)


def test_every_method_is_measured_and_compared():
    report = _report()
    assert report.find("churn_short", "auroc", "model").value > report.find("churn_short", "auroc", "noise").value
    assert report.find("churn_short", "auroc", "model").positives == 20
    difference = report.difference("churn_short", "auroc", "noise")
    assert 0 < difference.low < difference.difference < difference.high
    assert (report.examples, report.users) == (40, 20)


def test_a_method_compared_with_itself_does_not_differ_in_any_resample():
    same = _report().difference("churn_short", "auroc", "same")
    assert (same.difference, same.low, same.high) == (0, 0, 0)


def test_undefined_and_skipped_are_reported_with_the_reason():
    report = _report()
    model, baseline = (report.find("churn_long", "auroc", method) for method in ("model", "rfm_logit"))
    assert math.isnan(model.value)
    assert model.note == "no example has a known label of churn_long"
    assert baseline.note == "expected training examples, received none"
    assert math.isnan(report.difference("churn_long", "auroc", "rfm_logit").difference)


def test_same_seed_same_report_and_another_seed_other_intervals():
    assert _report(seed=1).to_json() == _report(seed=1).to_json()
    assert (
        _report(seed=1).find("churn_short", "auroc", "noise").low
        != _report(seed=2).find("churn_short", "auroc", "noise").low
    )


def test_json_holds_no_nan_and_no_user_and_reads_back():
    report = _report()
    text = report.to_json()
    assert "NaN" not in text
    assert "secret" not in text
    entry = json.loads(text)["values"][0]
    assert set(entry) >= {"method", "task", "metric", "value", "low", "high", "examples", "positives", "note"}
    assert EvaluationReport.from_json(text).to_json() == text


def test_without_resamples_there_are_values_but_no_intervals():
    report = _report(settings=EvaluationSettings(new_interest_days=56, resamples=0))
    value = report.find("churn_short", "auroc", "model")
    assert value.value > 0.5
    assert math.isnan(value.low)


def test_summary_puts_the_model_beside_the_best_baseline():
    rows = {row.task: row for row in summarise(_report())}
    short = rows["churn_short"]
    assert [value.method for value in short.baselines] == ["same", "noise"]
    assert short.comparison.baseline == "same"
    assert rows["churn_long"].model.note
    assert rows["next_item"].model is None
    assert rows["next_item"].comparison is None
