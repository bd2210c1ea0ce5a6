from dataclasses import replace

import pytest
from reports import make_decision, make_evaluation, make_measures, make_record, make_report

from interest_migration.gates.decision import CheckVerdict
from interest_migration.report.headlines import Estimate, list_headlines, stand
from interest_migration.report.inputs import RunReport
from interest_migration.report.record import Pushed, RunRecord, State
from interest_migration.report.verdict import count_checks, order_checks, tell_verdict
from interest_migration.serving.reviews import Action, Review


def test_a_pushed_model_with_its_reasons() -> None:
    report = replace(make_report(), reviews=())
    verdict = tell_verdict(report, list_headlines(make_evaluation(), None))
    assert verdict.headline == "The model was pushed as version 3"
    assert verdict.reasons[0] == "The data gate passed; 1 check: 1 passed."
    assert verdict.reasons[-1] == (
        "Against the strongest baselines the model is ahead in 1 headline metrics, level in 1 and behind in 1."
    )
    assert verdict.served == "Version 3 answers, from /w/served/3."


def test_a_model_that_is_served_already() -> None:
    record = make_record(pushed=Pushed(3, "/w/served/3", is_new=False))
    assert tell_verdict(RunReport(record), ()).headline == "The model is already served as version 3"


def test_what_is_served_goes_on_after_a_refusal() -> None:
    report = RunReport(make_record(State.MODEL_REFUSED), model_decision=make_decision("model", CheckVerdict.BROKEN))
    verdict = tell_verdict(report, ())
    assert verdict.served == "Version 2 goes on answering."
    assert "because" in verdict.reasons


def test_a_model_that_a_person_released() -> None:
    review = Review(Action.RELEASE, "Ada", "known outage", "2026-01-02T04:00:00Z", "r", "d", version=4)
    report = RunReport(
        make_record(State.MODEL_REFUSED),
        model_decision=make_decision("model", CheckVerdict.BROKEN),
        reviews=[review],
    )
    verdict = tell_verdict(report, ())
    assert verdict.headline == "The model gate refused the model; a person released it as version 4"
    assert "Review: released by Ada on 2026-01-02T04:00:00Z: known outage." in verdict.reasons


def test_checks_that_refuse_come_first() -> None:
    decision = make_decision("model", CheckVerdict.SKIPPED, CheckVerdict.PASSED, CheckVerdict.BROKEN)
    assert [check.verdict for check in order_checks(decision)] == ["broken", "passed", "skipped"]
    assert count_checks(decision) == "3 checks: 1 broken, 1 passed, 1 skipped"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.01, 0.03, "ahead"), (-0.01, 0.03, "level"), (-0.03, -0.01, "behind"), (float("nan"), float("nan"), "")],
)
def test_standing(low: float, high: float, expected: str) -> None:
    assert stand(Estimate(0.02, low, high)) == expected


def test_the_served_model_stands_beside_the_new_one() -> None:
    churn = list_headlines(make_evaluation(), make_measures())[0]
    assert churn.served is not None
    assert churn.change is not None
    assert churn.served.low < churn.served.value < churn.served.high
    assert 0.5 < churn.served.value < 1
    assert churn.change.low < churn.change.value < churn.change.high


def test_a_record_survives_its_text() -> None:
    record = make_record(State.DATA_REFUSED, data_decision=make_decision("data", CheckVerdict.BROKEN))
    assert RunRecord.from_text(record.to_text()) == record
    assert RunRecord.from_text(make_record().to_text()) == make_record()
    assert make_record().seconds == 120
    assert make_record(ended="").seconds is None
