"""What TFMA is asked to measure and to check, derived from the gates.

The result is the JSON form of `tensorflow_model_analysis.EvalConfig`; this module needs no TFMA. Each task is an
output, so a metric is addressed as `(task, metric)`: `next_category`, `hit_at_5`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from interest_migration.gates.metrics import CLASSIFIED_TASK, TASKS
from interest_migration.gates.settings import GateSettings, Rule, split_slice
from schemas.signatures import (
    CHURN_TASKS,
    EVALUATE,
    EVALUATION_LABELS,
    NEXT_CATEGORY_PREDICTED,
    RANKING_TASKS,
    label_key,
    measure_name,
    weight_key,
)

JsonObject = dict[str, Any]
METRICS_MODULE: Final = "components.metrics"
"""Where the metrics of our own are found by name when the evaluation runs."""


def build_eval_config(gates: GateSettings) -> JsonObject:
    """Returns an EvalConfig in JSON form: model, labels, weights, slices, metrics and thresholds."""
    slices = {json.dumps(spec, sort_keys=True): spec for spec in _all_slices(gates)}
    return {
        "modelSpecs": [
            {
                "signatureName": EVALUATE,
                "preprocessingFunctionNames": [EVALUATION_LABELS],
                "labelKeys": {task: label_key(task) for task in TASKS},
                "exampleWeightKeys": {task: weight_key(task) for task in TASKS},
            }
        ],
        "slicingSpecs": list(slices.values()),
        "metricsSpecs": [_metrics_spec(task, gates) for task in TASKS],
        "options": {"includeDefaultMetrics": False},
    }


def slicing_spec(name: str) -> JsonObject:
    """`slice_action` -> each of its values; `switched=1` -> that value."""
    column, value = split_slice(name)
    return {"featureKeys": [column]} if value is None else {"featureValues": {column: value}}


def _all_slices(gates: GateSettings) -> Iterable[JsonObject]:
    yield {}
    yield from (slicing_spec(name) for name in gates.slices)
    yield from (slicing_spec(name) for rule in gates.rules for name in rule.slices)


def _metrics_spec(task: str, gates: GateSettings) -> JsonObject:
    thresholds: dict[str, list[JsonObject]] = {}
    for rule in gates.rules:
        if rule.task == task:
            thresholds.setdefault(rule.metric, []).append(_threshold(rule))
    return {
        "outputNames": [task],
        "metrics": _churn_metrics(gates) if task in CHURN_TASKS else _ranking_metrics(task, gates),
        "perSliceThresholds": {metric: {"thresholds": rules} for metric, rules in thresholds.items()},
    }


def _churn_metrics(gates: GateSettings) -> list[JsonObject]:
    config = {"threshold": gates.churn_threshold, "confusion_thresholds": list(gates.confusion_thresholds)}
    return [_metric("ChurnClassification", config)]


def _ranking_metrics(task: str, gates: GateSettings) -> list[JsonObject]:
    predictions = {measure: measure_name(task, measure) for measure in RANKING_TASKS[task]}
    metrics = [_metric("RankingMeasures", {"predictions": predictions})]
    if task == CLASSIFIED_TASK:
        config = {"prediction": NEXT_CATEGORY_PREDICTED, "categories": gates.confusion_categories}
        metrics.append(_metric("CategoryClassification", config))
    return metrics


def _metric(class_name: str, config: Mapping[str, Any]) -> JsonObject:
    return {"className": class_name, "module": METRICS_MODULE, "config": json.dumps(config, sort_keys=True)}


def _threshold(rule: Rule) -> JsonObject:
    threshold: JsonObject = {}
    if rule.at_least is not None or rule.at_most is not None:
        bounds = {"lowerBound": rule.at_least, "upperBound": rule.at_most}
        threshold["valueThreshold"] = {name: bound for name, bound in bounds.items() if bound is not None}
    if rule.no_worse_than_served_by is not None:
        threshold["changeThreshold"] = {
            "absolute": -rule.no_worse_than_served_by,
            "direction": "HIGHER_IS_BETTER",
        }
    return {"slicingSpecs": [slicing_spec(name) for name in rule.slices] or [{}], "threshold": threshold}
