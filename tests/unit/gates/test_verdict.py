import math
from typing import Any

from interest_migration.gates.settings import GateSettings
from interest_migration.gates.verdict import Failure, SliceKey, Verdict, judge, name_slice

SWITCHED: SliceKey = (("switched", "1"),)


def gates(**changes: Any) -> GateSettings:
    rule = {"name": "interest moves", "task": "next_category", "metric": "hit_at_5", "at_least": 0.3, **changes}
    return GateSettings.from_values({"rules": [rule]}, source="gates")


def failure(value: float | None, key: SliceKey = (), **changes: Any) -> Failure:
    values = {"task": "next_category", "metric": "hit_at_5", "lower": 0.3, "upper": None, **changes}
    return Failure(slice_key=key, value=value, **values)


def judged(rules: GateSettings, *failures: Failure, count: float = 1000.0) -> Verdict:
    return judge(rules, failures, lambda task, key: count)


def test_no_failure_blesses() -> None:
    assert judged(gates()) == Verdict(blessed=True, reasons=(), excused=())


def test_the_reason_names_rule_metric_slice_value_and_bound() -> None:
    verdict = judged(gates(slices=["switched=1"]), failure(0.2512345, SWITCHED), count=812)
    assert not verdict.blessed
    assert verdict.reasons == (
        "interest moves: expected hit_at_5 of next_category in switched=1 (812 known labels) to be at least 0.3, "
        "received 0.2512",
    )


def test_the_reason_of_a_change_names_the_served_model() -> None:
    rules = gates(at_least=None, no_worse_than_served_by=0.02)
    verdict = judge(rules, [failure(-0.05, lower=-0.02, is_change=True)], lambda task, key: 10.0, served_version=4)
    assert verdict.served_version == 4
    assert verdict.reasons == (
        "interest moves: expected change of hit_at_5 of next_category in all examples (10 known labels) against the "
        "served model to be at least -0.02, received -0.0500",
    )


def test_undefined_refuses_by_default_and_passes_where_the_rule_says_so() -> None:
    refused = judged(gates(), failure(math.nan), count=0)
    passed = judged(gates(when_undefined="pass"), failure(math.nan), count=0)
    assert refused.reasons[0].endswith("received undefined")
    assert passed.blessed
    assert passed.excused[0].endswith("received undefined; passes, since when_undefined is pass")


def test_small_slices_are_not_judged() -> None:
    rules = gates(slices=["switched"], min_examples=200)
    assert judged(rules, failure(0.1, SWITCHED), count=199).blessed
    assert not judged(rules, failure(0.1, SWITCHED), count=200).blessed


def test_too_few_examples_excuse_an_undefined_value_but_none_at_all_does_not() -> None:
    rules = gates(slices=["switched"], min_examples=200)
    assert judged(rules, failure(math.nan, SWITCHED), count=3).blessed
    assert not judged(rules, failure(math.nan, SWITCHED), count=0).blessed


def test_an_excuse_of_one_rule_does_not_cover_another() -> None:
    values = {"task": "next_category", "metric": "hit_at_5", "at_least": 0.3, "slices": ["switched"]}
    rules = GateSettings.from_values(
        {"rules": [{"name": "lenient", **values, "min_examples": 500}, {"name": "strict", **values}]}, source="gates"
    )
    verdict = judged(rules, failure(0.1, SWITCHED), count=100)
    assert [reason.split(":")[0] for reason in verdict.reasons] == ["strict"]
    assert [reason.split(":")[0] for reason in verdict.excused] == ["lenient"]


def test_a_slice_that_no_example_falls_into_is_undefined() -> None:
    rules = gates(slices=["switched=1", "slice_action"])
    verdict = judge(rules, [], lambda task, key: 0.0, missing_slices=["switched=1"])
    assert not verdict.blessed
    assert "in switched=1 (0 known labels)" in verdict.reasons[0]


def test_a_failure_that_no_rule_explains_still_refuses() -> None:
    verdict = judged(gates(), failure(0.1, metric="hit_at_1"))
    assert verdict.reasons == ("next_category hit_at_1 in all examples failed without a rule",)


def test_json_round_trip() -> None:
    verdict = Verdict(blessed=False, reasons=("a", "b"), excused=("c",), served_version=3)
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_name_slice() -> None:
    assert name_slice((("switched", "1"), ("slice_action", "view"))) == "switched=1, slice_action=view"
    assert name_slice(()) == "all examples"
