"""What TFMA is asked to measure, derived from the gates.

The result is the JSON form of `tensorflow_model_analysis.EvalConfig`; this module needs no TFMA. Each task is an
output, so a metric is addressed as `(task, metric)`: `next_category`, `hit_at_5`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from interest_migration.gates.metrics import CLASSIFIED_TASK, TASKS
from interest_migration.gates.settings import GateSettings, split_slice
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
    """Returns an EvalConfig in JSON form: model, labels, weights, slices and metrics."""
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
    return {
        "outputNames": [task],
        "metrics": _churn_metrics(gates) if task in CHURN_TASKS else _ranking_metrics(task, gates),
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
