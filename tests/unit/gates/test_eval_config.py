import json
from typing import Any

from interest_migration.gates.evaluation import build_eval_config, slicing_spec
from interest_migration.gates.settings import GateSettings


def config(*rules: dict[str, Any], slices: tuple[str, ...] = ("switched",)) -> dict[str, Any]:
    values = {"slices": slices, "rules": [{"name": "rule", **rule} for rule in rules]}
    return build_eval_config(GateSettings.from_values(values, source="gates"))


def metrics_of(built: dict[str, Any], task: str) -> dict[str, Any]:
    (spec,) = [spec for spec in built["metricsSpecs"] if spec["outputNames"] == [task]]
    return spec


RULE = {"task": "churn_short", "metric": "auc", "at_least": 0.7}


def test_every_task_has_label_weight_and_metrics() -> None:
    built = config(RULE)
    model = built["modelSpecs"][0]
    tasks = [
        "churn_short",
        "churn_long",
        "next_category",
        "next_item",
        "propensity_short",
        "propensity_long",
        "new_interest_short",
        "new_interest_long",
    ]
    assert model["signatureName"] == "evaluate"
    assert model["preprocessingFunctionNames"] == ["evaluation_labels"]
    assert list(model["labelKeys"]) == tasks
    assert model["labelKeys"]["next_item"] == "next_item_label"
    assert model["exampleWeightKeys"]["next_item"] == "next_item_weight"
    assert [spec["outputNames"] for spec in built["metricsSpecs"]] == [[task] for task in tasks]


def test_ranking_measures_are_read_from_the_predictions_of_that_name() -> None:
    (metric,) = metrics_of(config(RULE), "next_item")["metrics"]
    assert metric["className"] == "RankingMeasures"
    assert json.loads(metric["config"])["predictions"] == {
        "hit_at_10": "next_item_hit_at_10",
        "ndcg_at_10": "next_item_ndcg_at_10",
        "reciprocal_rank": "next_item_reciprocal_rank",
    }


def test_next_category_is_also_a_classification() -> None:
    names = [metric["className"] for metric in metrics_of(config(RULE), "next_category")["metrics"]]
    assert names == ["RankingMeasures", "CategoryClassification"]


def test_thresholds_are_left_to_the_model_gate() -> None:
    assert "thresholds" not in json.dumps(config({**RULE, "no_worse_than_served_by": 0.1})).lower().replace(
        "confusion_thresholds", ""
    )


def test_slices_of_rules_are_measured_too_and_once() -> None:
    built = config({**RULE, "slices": ["switched", "slice_action"]}, {**RULE, "slices": ["slice_action"]})
    assert built["slicingSpecs"] == [{}, {"featureKeys": ["switched"]}, {"featureKeys": ["slice_action"]}]


def test_slicing_spec_of_an_attribute_keeps_its_equals_sign() -> None:
    assert slicing_spec("user_attributes=age=25-34") == {"featureValues": {"user_attributes": "age=25-34"}}
