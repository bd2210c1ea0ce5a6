"""What TFMA wrote, as plain values: broken thresholds, metrics, counts."""

from collections.abc import Callable
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from interest_migration.gates.metrics import EXAMPLE_COUNT
from interest_migration.gates.verdict import Failure, SliceKey

Metrics = dict[SliceKey, dict[str, dict[str, float]]]
"""Slice -> task -> metric -> value."""


def read_failures(evaluation: str) -> list[Failure]:
    """Returns every threshold that did not hold.

    Args:
      evaluation: Folder that TFMA wrote.
    """
    return [
        _failure(failure, _slice_key(part.slice_key))
        for part in tfma.load_validation_result(evaluation).metric_validations_per_slice
        for failure in part.failures
    ]


def read_missing_slices(evaluation: str) -> frozenset[str]:
    """Returns the slices with thresholds that no example falls into, as rules name them: `column` or `column=value`."""
    specs = tfma.load_validation_result(evaluation).missing_slices
    values = (f"{column}={value}" for spec in specs for column, value in spec.feature_values.items())
    return frozenset([*(column for spec in specs for column in spec.feature_keys), *values])


def read_metrics(evaluation: str, model: str = tfma.CANDIDATE_KEY) -> Metrics:
    """Returns the numbers of one model: `candidate` (the default) or `baseline`."""
    metrics: Metrics = {}
    for part in tfma.load_metrics(evaluation):
        tasks = metrics.setdefault(_slice_key(part.slice_key), {})
        for entry in part.metric_keys_and_values:
            if _is_number(entry, model):
                value = entry.value.double_value.value
                tasks.setdefault(entry.key.output_name, {})[entry.key.name] = value
    return metrics


def count_known_labels(evaluation: str) -> Callable[[str, SliceKey], float]:
    """Returns a function (task, slice) -> number of examples whose label is known."""
    metrics = read_metrics(evaluation)
    return lambda task, key: metrics.get(key, {}).get(task, {}).get(EXAMPLE_COUNT, 0.0)


def _is_number(entry: Any, model: str) -> bool:
    # A lone model has no name.
    return (
        entry.value.WhichOneof("type") == "double_value"
        and not entry.key.is_diff
        and entry.key.model_name in (model, "" if model == tfma.CANDIDATE_KEY else model)
    )


def _failure(failure: Any, key: SliceKey) -> Failure:
    threshold = failure.metric_threshold
    change = threshold.HasField("change_threshold")
    bounds = threshold.change_threshold if change else threshold.value_threshold
    return Failure(
        task=failure.metric_key.output_name,
        metric=failure.metric_key.name,
        slice_key=key,
        value=failure.metric_value.double_value.value if failure.HasField("metric_value") else None,
        lower=_bound(bounds, "absolute" if change else "lower_bound"),
        upper=None if change else _bound(bounds, "upper_bound"),
        is_change=change,
    )


def _bound(bounds: Any, field: str) -> float | None:
    return getattr(bounds, field).value if bounds.HasField(field) else None


def _slice_key(key: metrics_for_slice_pb2.SliceKey) -> SliceKey:
    return tuple((part.column, _slice_value(part)) for part in key.single_slice_keys)


def _slice_value(part: metrics_for_slice_pb2.SingleSliceKey) -> str:
    kind = part.WhichOneof("kind")
    value = getattr(part, kind)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
