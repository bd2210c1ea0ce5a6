"""Transform: raw features of `schemas.features` to the features that models read.

TFX calls `preprocessing_fn` by its path, `components.transform.preprocessing_fn`. Vocabularies, quantiles and scales
come from the train split (the Transform node must be told to analyse that split only).
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from interest_migration.transform.buckets import bounded_log, time_buckets
from interest_migration.transform.settings import TransformSettings, VocabularySettings
from interest_migration.transform.steps import gap_seconds, step_index
from interest_migration.transform.vocabularies import COUNTED, LOOKED_UP
from schemas.events import ACTIONS
from schemas.features import (
    ACTION_IDS,
    AGE_BUCKETS,
    AGGREGATE_INPUTS,
    AGGREGATES,
    EVENT_ACTION,
    EVENT_AGE,
    EVENT_PRICE,
    EVENT_SESSION,
    GAP_BUCKETS,
    PRICE_BUCKETS,
    RAW_FEATURES,
    SESSION_INDEX,
    STEP_INDEX,
    TRANSFORMED_FEATURES,
    UNKNOWN_LABEL,
    WINDOW_DAYS,
    FeatureSpec,
    Role,
    Shape,
    label_name,
)

Tensors = dict[str, Any]


def preprocessing_fn(inputs: Mapping[str, Any], custom_config: Mapping[str, Any] | None = None) -> Tensors:
    """Returns `TRANSFORMED_FEATURES` of a batch of raw examples.

    Args:
      inputs: Raw feature name -> `[B, 1]`, `[B, W]`, ragged `[B, (E)]` or sparse `[B, E]` values.
      custom_config: May hold `transform`, the values of `TransformSettings`.

    Returns:
      Transformed feature name -> `[B]`, `[B, W]` or sparse `[B, E]` values.
    """
    values = (custom_config or {}).get("transform")
    settings = TransformSettings.from_values(values, source="custom_config transform")
    raw = {spec.name: _normalise(inputs[spec.name], spec) for spec in RAW_FEATURES}
    made = _ids(raw, settings) | _event_buckets(raw, settings) | _numbers(raw) | _scalar_labels(raw)
    return {spec.name: _written(made.get(spec.name, raw.get(spec.name))) for spec in TRANSFORMED_FEATURES}


def _written(value: Any) -> Any:
    """Sparse lists are written under their own name; ragged ones would be written as `<name>$ragged_values`."""
    return value.to_sparse() if isinstance(value, tf.RaggedTensor) else value


def _normalise(value: Any, spec: FeatureSpec) -> Any:
    """Returns `[B]` for scalars, `[B, W]` for windows, ragged `[B, (E)]` for the rest."""
    if spec.shape is Shape.WINDOWS:
        return value
    if spec.shape is not Shape.SCALAR:
        return tf.RaggedTensor.from_sparse(value) if isinstance(value, tf.SparseTensor) else value
    if isinstance(value, tf.SparseTensor):
        value = tf.RaggedTensor.from_sparse(value)
    if isinstance(value, tf.RaggedTensor):
        default = "" if spec.dtype == "string" else UNKNOWN_LABEL
        value = value.to_tensor(default_value=default, shape=[None, 1])
    return tf.reshape(value, [-1])


def _ids(raw: Tensors, settings: TransformSettings) -> Tensors:
    files = {name: _vocabulary(name, raw, getattr(settings, name)) for name in COUNTED}
    ids = {
        name: raw[source].with_flat_values(_look_up(raw[source].flat_values, files[vocabulary]))
        for name, (source, vocabulary) in LOOKED_UP.items()
    }
    return ids | {ACTION_IDS: raw[EVENT_ACTION].with_flat_values(_action_ids(raw[EVENT_ACTION].flat_values))}


def _vocabulary(name: str, raw: Tensors, settings: VocabularySettings) -> Any:
    """Counts values within a batch first: Beam then sees each distinct value of a batch once."""
    values = tf.concat([raw[feature].flat_values for feature in COUNTED[name]], axis=0)
    distinct, _, counts = tf.unique_with_counts(values)
    return tft.vocabulary(
        distinct,
        weights=tf.cast(counts, tf.float32),
        top_k=settings.max_size,
        frequency_threshold=settings.min_count,
        vocab_filename=name,
        name=name,
    )


def _look_up(values: tf.Tensor, vocabulary: Any) -> tf.Tensor:
    found = tft.apply_vocabulary(values, vocabulary, num_oov_buckets=1)
    return tf.where(values == "", tf.zeros_like(found), found + 1)


def _action_ids(actions: tf.Tensor) -> tf.Tensor:
    """1 + position in `ACTIONS`, 0 for any other text."""
    matches = tf.cast(actions[:, tf.newaxis] == tf.constant(ACTIONS), tf.int64)
    return tf.reduce_sum(matches * tf.range(1, len(ACTIONS) + 1, dtype=tf.int64), axis=1)


def _event_buckets(raw: Tensors, settings: TransformSettings) -> Tensors:
    ages, prices, sessions = raw[EVENT_AGE], raw[EVENT_PRICE], raw[EVENT_SESSION]
    gaps = gap_seconds(ages)
    return {
        STEP_INDEX: step_index(ages),
        AGE_BUCKETS: ages.with_flat_values(time_buckets(ages.flat_values)),
        GAP_BUCKETS: gaps.with_flat_values(time_buckets(gaps.flat_values)),
        PRICE_BUCKETS: prices.with_flat_values(_price_buckets(prices.flat_values, settings.price_buckets)),
        SESSION_INDEX: sessions.with_flat_values(tf.clip_by_value(sessions.flat_values, 0, settings.max_sessions - 1)),
    }


def _price_buckets(prices: tf.Tensor, buckets: int) -> tf.Tensor:
    has_price = prices >= 0
    bounds = tft.quantiles(tf.boolean_mask(prices, has_price), num_buckets=buckets, epsilon=0.01)
    found = tft.apply_buckets(prices, bounds)
    return tf.where(has_price, found + 1, tf.zeros_like(found))


def _numbers(raw: Tensors) -> Tensors:
    widths = [len(WINDOW_DAYS) if raw[name].shape.rank == 2 else 1 for name in AGGREGATE_INPUTS]
    columns = [tf.reshape(raw[name], [-1, width]) for name, width in zip(AGGREGATE_INPUTS, widths, strict=True)]
    logs = bounded_log(tf.concat(columns, axis=1))
    return {AGGREGATES: tft.scale_to_z_score(logs, elementwise=True)}


def _scalar_labels(raw: Tensors) -> Tensors:
    return {
        label_name(spec.name): raw[spec.name]
        for spec in RAW_FEATURES
        if spec.role is Role.LABEL and spec.shape is Shape.SCALAR
    }
