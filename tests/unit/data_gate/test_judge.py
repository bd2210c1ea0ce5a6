"""The whole gate on evidence written by hand."""

from dataclasses import replace

import pytest

from interest_migration.data_gate.distributions import Distribution
from interest_migration.data_gate.errors import DataRefusedError, find_decision
from interest_migration.data_gate.evidence import Anomaly, Before, Delivery, Evidence, Reference, Requests
from interest_migration.data_gate.judge import judge
from interest_migration.data_gate.settings import DataGateSettings
from interest_migration.errors import RefusedError
from interest_migration.gates.decision import CheckVerdict, Decision
from interest_migration.ingestion.summary import IngestSummary
from interest_migration.sources.column_changes import ColumnChange

END_S = 1_704_067_200
SHOES, SOCKS = Distribution({"shoes": 1.0}, 500), Distribution({"socks": 1.0}, 500)
SUMMARY = IngestSummary(
    rows_read=1000,
    rows_used=900,
    rejected={"duplicate": 60, "bad_time": 40},
    users=200,
    last_event_s=END_S - 3600,
    examples={"train": 300, "eval": 50, "test": 50},
)
REFERENCE = Reference(name="span 7", statistics="s", summary="m", digest="d")


def evidence(**values: object) -> Evidence:
    splits = {split: {"event_category": SHOES} for split in ("train", "eval", "test")}
    return replace(Evidence(Delivery(name="span 8", end_s=END_S), splits, SUMMARY), **values)  # type: ignore[arg-type]


def decide(found: Evidence, **rules: object) -> Decision:
    return judge(found, DataGateSettings.from_values(rules, source="test"))


def before(category: Distribution = SHOES, summary: IngestSummary = SUMMARY, comparable: bool = True) -> Before:
    reference = REFERENCE.model_copy(update={"comparable": comparable})
    return Before(reference, {split: {"event_category": category} for split in ("train", "eval", "test")}, summary)


def test_good_data_pass():
    decision = decide(evidence())
    assert decision.passed
    assert decision.gate == "data"
    assert "Compared with: no earlier run" in decision.notes


def test_anomalies_refuse_in_words_unless_they_are_only_to_be_noted():
    found = evidence(anomalies=(Anomaly("test", "event_price", "Out of range"), Anomaly("eval", "", "empty")))
    decision = decide(found)
    assert decision.reasons == (
        "schema: feature event_price, test split: Out of range",
        "schema: the split, eval split: empty",
    )
    assert decide(found, anomalies="note").passed
    assert len(decide(found, ignore_anomalies=["event_price"]).reasons) == 1


def test_columns_that_changed():
    changes = (
        ColumnChange(stream="log", column="price", kind="changed_type", before="double", now="string"),
        ColumnChange(stream="log", column="device", kind="new", now="string"),
        ColumnChange(stream="log", column="agent", kind="gone", before="string"),
    )
    found = evidence(delivery=Delivery(name="span 8", changes=changes))
    assert decide(found).reasons == (
        "columns: stream 'log', column 'price' was double in the span before and is string in the newest",
    )
    assert len(decide(found, columns={"new": "refuse", "gone": "refuse", "changed_type": "note"}).reasons) == 2


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"measure": "users", "at_least": 201}, "volume: users: 200, expected at least 201"),
        ({"measure": "rows_used", "at_most": 899}, "volume: rows_used: 900, expected at most 899"),
        ({"measure": "examples", "at_least": 401}, "volume: examples: 400, expected at least 401"),
        ({"measure": "examples_test", "at_least": 51}, "volume: examples_test: 50, expected at least 51"),
    ],
)
def test_absolute_bounds_on_amounts(rule: dict[str, object], reason: str):
    assert decide(evidence(), volume=[rule]).reasons == (reason,)
    kind = next(name for name in rule if name != "measure")
    loose = {**rule, kind: int(str(rule[kind])) + (1 if kind == "at_most" else -1)}
    assert decide(evidence(), volume=[loose]).passed


def test_bounds_on_the_change_of_amounts():
    rules = [{"measure": "users", "shrinks_by_at_most": 0.3, "grows_by_at_most": 0.3}]
    half = evidence(before=before(summary=replace(SUMMARY, users=400)))
    assert decide(half, volume=rules).reasons == (
        "volume: users: 200 after 400 in span 7 (-50.0%), expected that it shrinks by at most 30%",
    )
    double = evidence(before=before(summary=replace(SUMMARY, users=100)))
    assert "grows by at most 30%" in decide(double, volume=rules).reasons[0]
    assert decide(evidence(before=before()), volume=rules).passed
    first = decide(evidence(), volume=rules)
    assert first.passed
    assert [check.verdict for check in first.checks if check.rule == "volume"] == [CheckVerdict.SKIPPED] * 2


def test_shares_of_rows_set_aside():
    rules = {"total": 0.03, "reasons": {"duplicate": 0.06, "bad_time": 0.01}}
    assert decide(evidence(), rejected=rules).reasons == (
        "rejected: rows set aside for bad data: 40 of 1,000 rows (4.00%), expected at most 3.00%",
        "rejected: rows set aside for bad_time: 40 of 1,000 rows (4.00%), expected at most 1.00%",
    )


def test_age_of_the_newest_event_and_of_the_span():
    assert decide(evidence(), freshness={"newest_event_hours": 1}).passed
    (reason,) = decide(evidence(), freshness={"newest_event_hours": 0.5}).reasons
    assert reason.startswith("freshness: newest event: 2023-12-31 23:00 UTC, 1.0 hours before the end of the span")
    old = evidence(delivery=Delivery(name="span 8", end_s=END_S, age_days=4))
    assert decide(old, freshness={"span_age_days": 4}).passed
    assert decide(old, freshness={"span_age_days": 3}).reasons == (
        "freshness: age of the span: the span ended 4 days before the run, expected at most 3 days",
    )


def test_without_dates_age_is_not_judged():
    found = evidence(delivery=Delivery(name="all data"))
    decision = decide(found, freshness={"newest_event_hours": 1, "span_age_days": 1})
    assert [check.verdict for check in decision.checks if check.rule == "freshness"] == [CheckVerdict.SKIPPED] * 2


def test_drift_against_the_run_before_is_found_in_the_split_that_has_it():
    rules = {"drift": {"default": {"jensen_shannon": 0.1}}}
    assert decide(evidence(before=before()), **rules).passed
    (reason,) = decide(evidence(before=before(SOCKS)), **rules).reasons
    assert reason.startswith("drift: feature event_category, test split of span 8, lies 1.000")
    assert "the test split of span 7" in reason
    both = {"drift": {"splits": ["train", "test"], "default": {"jensen_shannon": 0.1}}}
    assert len(decide(evidence(before=before(SOCKS)), **both).reasons) == 2


def test_drift_can_be_ignored_or_bounded_by_feature():
    drifted = evidence(before=before(SOCKS))
    assert decide(drifted, drift={"default": {"l_infinity": 0.1}, "ignore": ["event_category"]}).passed
    assert decide(drifted, drift={"features": {"event_price": {"l_infinity": 0.1}}}).passed
    assert not decide(drifted, drift={"features": {"event_category": {"l_infinity": 0.1}}}).passed


def test_examples_that_were_defined_otherwise_are_not_compared():
    decision = decide(evidence(before=before(SOCKS, comparable=False)), drift={"default": {"jensen_shannon": 0.1}})
    assert decision.passed
    assert decision.checks[-1].reason == "drift: not compared, examples were defined otherwise in span 7"


def test_skew_between_splits():
    splits = {"train": {"event_category": SHOES}, "eval": {"event_category": SHOES}, "test": {"event_category": SOCKS}}
    decision = decide(evidence(splits=splits), skew={"default": {"jensen_shannon": 0.1}})
    (reason,) = decision.reasons
    assert reason.startswith("skew: feature event_category, test split of span 8, lies 1.000")
    assert "from the train split" in reason


def test_skew_of_requests():
    rules = {"serving": {"logs": "requests", "default": {"jensen_shannon": 0.1}, "min_examples": 50}}
    few, like, other = (Requests({"event_category": side}, n) for side, n in ((SOCKS, 49), (SHOES, 50), (SOCKS, 50)))
    assert decide(evidence(requests=few), **rules).passed
    assert decide(evidence(requests=like), **rules).passed
    (reason,) = decide(evidence(requests=other), **rules).reasons
    assert "requests to the model server" in reason
    assert "from the test split" in reason


def test_late_events_are_noted():
    summary = replace(SUMMARY, late_events=3, largest_delay_s=129_600)
    notes = decide(evidence(summary=summary)).notes
    assert "3 late events, up to 1.5 days before their partition" in notes


def test_a_refusal_lists_its_reasons_and_carries_the_decision():
    decision = decide(evidence(), volume=[{"measure": "users", "at_least": 201}])
    error = DataRefusedError(decision)
    assert isinstance(error, RefusedError)
    assert "nothing was trained:\n  - volume: users: 200, expected at least 201" in str(error)
    outer = ValueError("outer")
    outer.__cause__ = error
    assert find_decision(outer) is decision
    assert find_decision(ValueError("other")) is None


def test_what_cannot_be_computed_is_refused():
    error = DataRefusedError.unmeasured(OSError("disk on fire"))
    assert not error.decision.passed
    assert error.decision.reasons == ("the gate could not be computed: disk on fire",)
