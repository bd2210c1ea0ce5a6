"""What TFMA wrote, as plain values."""

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import metrics_for_slice_pb2

SliceKey = tuple[tuple[str, str], ...]
"""Column and value of a slice; empty for all examples."""

Metrics = dict[SliceKey, dict[str, dict[str, float]]]
"""Slice -> task -> metric -> value."""


def read_metrics(evaluation: str) -> Metrics:
    """Returns the numbers of the model.

    Args:
      evaluation: Folder that TFMA wrote.
    """
    metrics: Metrics = {}
    for part in tfma.load_metrics(evaluation):
        tasks = metrics.setdefault(_slice_key(part.slice_key), {})
        for entry in part.metric_keys_and_values:
            if entry.value.WhichOneof("type") == "double_value":
                value = entry.value.double_value.value
                tasks.setdefault(entry.key.output_name, {})[entry.key.name] = value
    return metrics


def _slice_key(key: metrics_for_slice_pb2.SliceKey) -> SliceKey:
    return tuple((part.column, _slice_value(part)) for part in key.single_slice_keys)


def _slice_value(part: metrics_for_slice_pb2.SingleSliceKey) -> str:
    kind = part.WhichOneof("kind")
    value = getattr(part, kind)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
