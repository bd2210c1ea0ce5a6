"""A whole report of a made-up run, with a category name that means harm."""

import numpy as np
import pyarrow as pa

from interest_migration.evaluation.measures import About, Measures
from interest_migration.evaluation.results import Comparison, EvaluationReport, MetricValue
from interest_migration.flows.results import (
    GONE,
    OTHER,
    CategoryFlow,
    Flows,
    Link,
    NewInterest,
    Pair,
    PairTable,
    Period,
)
from interest_migration.gates.decision import Check, CheckVerdict, Decision
from interest_migration.report.inputs import RunReport
from interest_migration.report.record import Pushed, RunRecord, State, StepTime
from interest_migration.serving.reviews import Action, Review

NAN = float("nan")
HARM = '<script>alert(1)</script>" onload=\'x\' & <a href="http://harm.example/">tea</a>'
CATEGORIES = ("milk", HARM, "bread")


def make_record(state: State = State.PUSHED, **values: object) -> RunRecord:
    basics = {
        "run": "20260102-030405-678901",
        "pipeline": "shop",
        "started": "2026-01-02T03:04:05.000+00:00",
        "ended": "2026-01-02T03:06:05.000+00:00",
        "command": "interest-migration run --config 'a <b>.yaml'",
        "state": state,
        "steps": (StepTime("Transform", 61.0, True), StepTime("Trainer", 12.3, False)),
        "pushed": Pushed(3, "/w/served/3", is_new=True) if state is State.PUSHED else None,
        "versions": {"python": "3.11"},
        "inputs": {"key_id": "beef"},
        "settings": {"config": {"name": "shop", "note": HARM}},
    }
    return RunRecord(**{**basics, **values})


def make_check(verdict: CheckVerdict, reason: str = "because") -> Check:
    return Check(
        "rule <i>", "auc of churn_short", "all examples", 0.8, 0.7, 0.9, "", "at least 0.7", verdict, reason, 90
    )


def make_decision(gate: str = "model", *verdicts: CheckVerdict) -> Decision:
    return Decision.of(gate, [make_check(verdict) for verdict in verdicts or (CheckVerdict.PASSED,)], 2, ["a note"])


def make_measures(examples: int = 400, seed: int = 0) -> Measures:
    """Churn of 100 users in both horizons, and their next category; method by method."""
    rng = np.random.default_rng(seed)
    users = rng.integers(0, 100, examples)
    values = {}
    for horizon in ("short", "long"):
        label = (rng.random(examples) < 0.3).astype(float)
        values[f"churn_{horizon}/label"] = np.where(np.arange(examples) < 10, NAN, label)
        for method, noise in (("model", 0.3), ("served", 0.35), ("rfm_logit", 0.5)):
            values[f"churn_{horizon}/{method}/score"] = np.clip(0.3 * label + noise * rng.random(examples), 0, 1)
    true = rng.integers(1, 4, examples).astype(float)
    predicted = np.where(rng.random(examples) < 0.6, true, rng.integers(1, 4, examples))
    values |= {"next_category/model/true": true, "next_category/model/predicted": predicted}
    for method in ("model", "served", "user_frequent"):
        values[f"next_category/{method}/hit_at_5"] = (rng.random(examples) < 0.6).astype(float)
    slices = {"switched": pa.array(np.where(rng.random(examples) < 0.5, "1", "0"))}
    slices["slice_platform"] = pa.array(np.where(users < 3, "rare", HARM))
    return Measures(
        users,
        np.arange(examples),
        slices,
        {name: column.astype(np.float32) for name, column in values.items()},
        About(2),
    )


def make_evaluation() -> EvaluationReport:
    def value(task: str, method: str, metric: str, number: float, subset: str = "all", note: str = "") -> MetricValue:
        return MetricValue(method, task, subset, metric, number, number - 0.02, number + 0.02, 390, 100, note)

    return EvaluationReport(
        values=(
            value("churn_short", "model", "auroc", 0.84),
            value("churn_short", "rfm_logit", "auroc", 0.80),
            value("churn_long", "model", "auroc", NAN, note="no example has a known label"),
            value("next_category", "model", "hit_at_5", 0.6),
            value("next_category", "user_frequent", "hit_at_5", 0.59),
            value("next_category", "model", "hit_at_5", 0.5, "switched"),
            value("next_category", "user_frequent", "hit_at_5", 0.55, "switched"),
        ),
        comparisons=(
            Comparison("churn_short", "all", "auroc", "rfm_logit", 0.04, 0.01, 0.07),
            Comparison("next_category", "all", "hit_at_5", "user_frequent", 0.01, -0.01, 0.03),
            Comparison("next_category", "switched", "hit_at_5", "user_frequent", -0.05, -0.07, -0.03),
        ),
        examples=400,
        users=100,
        resamples=20,
        confidence=0.95,
        seed=0,
    )


def make_slices() -> dict[tuple[tuple[str, str], ...], dict[str, dict[str, float]]]:
    churn = {"auc": 0.8, "accuracy": 0.7, "precision": NAN, "recall": 0.5, "f1": 0.6, "calibration": 1.1}
    tasks = {"churn_short": {**churn, "example_count": 200.0}}
    keys = [(), (("switched", "1"),), (("slice_platform", HARM),), (("slice_platform", "rare"),)]
    return dict.fromkeys(keys, tasks)


def make_flows() -> Flows:
    pair = Pair("milk", HARM, 40, 300, 0.3, 0.1, 3.0, 2.0, 4.5)
    return Flows(
        observations=1000,
        users=100,
        minimum_users=5,
        confidence=0.95,
        hidden_share=0.01,
        categories=(
            CategoryFlow("milk", 80, 0.5, 0.4, -0.1, -0.15, -0.05, 0.6, 0.1),
            CategoryFlow(HARM, 60, 0.2, 0.3, 0.1, 0.05, 0.15, 0.5, 0.1),
        ),
        links=(
            Link("milk", "milk", 0.3, 0.6, 60),
            Link("milk", HARM, 0.2, 0.4, 40),
            Link(HARM, HARM, 0.2, 0.9, 50),
            Link(OTHER, GONE, 0.1, 1.0, 30),
        ),
        following=PairTable(100, 1, 0, (pair,)),
        new=PairTable(90, 1, 0, (pair,)),
        new_interests=(NewInterest(HARM, 30, 0.2),),
        periods=(Period(0, 50, {"milk": 0.4, HARM: None}), Period(2_419_200, 60, {"milk": 0.5, HARM: 0.2})),
    )


def make_training() -> dict[str, object]:
    epoch = {"losses": {"loss": 2.0, "churn": 0.4}, "validation": {"score": 0.7, "churn_short_auc": 0.8}}
    history = [{"epoch": number, **epoch} for number in range(3)]
    figures = {"examples": 900, "parameters": 27_180, "wall_seconds": 46.7, "examples_per_second": 59.0}
    return {**figures, "epochs": 3, "best_epoch": 1, "history": history}


def make_summary() -> dict[str, object]:
    return {
        "rows_read": 1000,
        "rows_used": 990,
        "rejected": {"bad_time": 10},
        "users": 100,
        "first_event_s": 1_600_000_000,
        "last_event_s": 1_610_000_000,
        "examples": {"train": 600, "eval": 100, "test": 400},
        "labels": {"train": {"churn_short": 500}, "eval": {"churn_short": 90}, "test": {"churn_short": 390}},
        "tables": {"items": {"rows_read": 50, "rows_used": 48, "left_out": 2}},
        "notes": ["coupons.csv is absent"],
        "late_events": 7,
        "largest_delay_s": 90_000,
    }


def make_report(record: RunRecord | None = None) -> RunReport:
    """Returns a report that has everything."""
    return RunReport(
        record=record or make_record(),
        data_decision=make_decision("data"),
        model_decision=make_decision("model", *CheckVerdict),
        reviews=[Review(Action.HOLD, "Ada", "wait", "2026-01-02T04:00:00Z", "r", "d")] * 2,
        evaluation=make_evaluation(),
        measures=make_measures(),
        slices=make_slices(),
        categories=CATEGORIES,
        summary=make_summary(),
        training=make_training(),
        flows=make_flows(),
        problems=["Flows.flows: broken <i>"],
    )
