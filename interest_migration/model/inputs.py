"""Transformed features as the model reads them: parsed, padded, int32.

Events are padded on the right; a padded event has step index -1 and ids 0. Example of two histories:

    step_index  [[1, 0, 0], [0, -1, -1]]
    item_ids    [[7, 3, 9], [4,  0,  0]]
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import tensorflow as tf

from schemas.features import (
    AGGREGATE_WIDTH,
    CUT_TIME,
    STEP_INDEX,
    TRANSFORMED_FEATURES,
    UNKNOWN_LABEL,
    WINDOW_DAYS,
    FeatureSpec,
    Role,
    Shape,
)

INPUT_SPECS: Final = tuple(
    spec for spec in TRANSFORMED_FEATURES if spec.role is Role.INPUT and spec.made_by == "transform"
) + tuple(spec for spec in TRANSFORMED_FEATURES if spec.role is Role.INPUT and spec.made_by == "ingest")
"""What the model reads."""
LABEL_SPECS: Final = tuple(spec for spec in TRANSFORMED_FEATURES if spec.role is Role.LABEL)
"""What measures read as well."""
TRAINING_SPECS: Final = (*INPUT_SPECS, *LABEL_SPECS, *(spec for spec in TRANSFORMED_FEATURES if spec.name == CUT_TIME))
"""What the losses read: they weigh examples by their cut time."""

PADDING_STEP: Final = -1
"""Step index of a padded event."""

_DTYPES: Final = {"string": tf.string, "int64": tf.int64, "float32": tf.float32}
_WIDTHS: Final = {Shape.WINDOWS: len(WINDOW_DAYS), Shape.AGGREGATES: AGGREGATE_WIDTH}

Batch = Mapping[str, Any]


def parsers(specs: Iterable[FeatureSpec]) -> dict[str, Any]:
    """Returns what `tf.io.parse_example` needs: absent scalars become -1 or empty, lists become ragged."""
    return {spec.name: _parser(spec) for spec in specs}


def _parser(spec: FeatureSpec) -> Any:
    dtype = _DTYPES[spec.dtype]
    if spec.shape is Shape.SCALAR:
        return tf.io.FixedLenFeature([], dtype, default_value="" if spec.dtype == "string" else UNKNOWN_LABEL)
    if spec.shape in _WIDTHS:
        return tf.io.FixedLenFeature([_WIDTHS[spec.shape]], dtype)
    return tf.io.RaggedFeature(dtype, row_splits_dtype=tf.int64)


class FixedLengths(NamedTuple):
    """Lengths that lists are padded and cut to, for static shapes."""

    events: int
    interests: int
    labels: int


def pad(features: Batch, specs: Iterable[FeatureSpec], lengths: FixedLengths | None = None) -> dict[str, tf.Tensor]:
    """Returns the features of `specs` as dense tensors, int64 ones as int32.

    Args:
      features: Feature name -> `[B]`, `[B, W]`, ragged `[B, (N)]` or sparse `[B, N]`.
      specs: What to take.
      lengths: Lengths of lists; by default the longest of the batch. Events keep their newest, others their first.

    Returns:
      Feature name -> `[B]`, `[B, W]` or `[B, N]`.
    """
    return {spec.name: _pad(features[spec.name], spec, lengths) for spec in specs}


def _pad(value: Any, spec: FeatureSpec, lengths: FixedLengths | None) -> tf.Tensor:
    if spec.dtype == "int64":
        value = tf.cast(value, tf.int32)
    default = PADDING_STEP if spec.name == STEP_INDEX else None
    if isinstance(value, tf.SparseTensor) and lengths is None:
        return tf.sparse.to_dense(value, default, validate_indices=False)  # one operation; by way of ragged, forty
    if isinstance(value, tf.SparseTensor):
        value = tf.RaggedTensor.from_sparse(value)
    if not isinstance(value, tf.RaggedTensor):
        return value
    if lengths is None:
        return value.to_tensor(default_value=default)
    if spec.shape is Shape.EVENTS:
        return value[:, -lengths.events :].to_tensor(default_value=default, shape=[None, lengths.events])
    length = lengths.interests if spec.shape is Shape.INTERESTS else lengths.labels
    return value.to_tensor(default_value=default, shape=[None, length])
