"""A SavedModel of a few lines that has the agreed signatures, and examples for it.

The model's answers are planted in the examples: `recency_days` is the predicted churn probability of both horizons,
`tenure_days` the value of every ranking measure, `lifetime_events` the predicted category. The true category is
`cut_time_s`; a task's label is known where `horizon_observed_short` is 1 (all ranking tasks) and where the churn label
is present (churn).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from schemas.features import CHURN, CUT_TIME, HORIZON_OBSERVED, HORIZONS, LIFETIME_EVENTS, RECENCY, TENURE
from schemas.signatures import (
    CHURN_TASKS,
    EVALUATE,
    EVALUATION_LABELS,
    NEXT_CATEGORY_PREDICTED,
    RANKING_TASKS,
    SERVE,
    label_key,
    measure_name,
    weight_key,
)

Value = float | int | str | Sequence[str]
_EXAMPLES = [tf.TensorSpec([None], tf.string, name="examples")]
_PARSERS = {
    RECENCY: tf.io.FixedLenFeature([], tf.float32, 0.0),
    TENURE: tf.io.FixedLenFeature([], tf.float32, 0.0),
    LIFETIME_EVENTS: tf.io.FixedLenFeature([], tf.float32, 0.0),
    CUT_TIME: tf.io.FixedLenFeature([], tf.int64, 0),
    HORIZON_OBSERVED["short"]: tf.io.FixedLenFeature([], tf.int64, 1),
    **{CHURN[horizon]: tf.io.FixedLenFeature([], tf.int64, -1) for horizon in HORIZONS},
}


class TinyModel(tf.Module):
    """Answers what the examples say, plus `bias` on every ranking measure."""

    def __init__(self, bias: float = 0.0) -> None:
        super().__init__()
        self.bias = tf.Variable(bias, dtype=tf.float32)

    @tf.function(input_signature=_EXAMPLES)
    def serve(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"churn_probability_short": tf.io.parse_example(examples, _PARSERS)[RECENCY]}

    @tf.function(input_signature=_EXAMPLES)
    def evaluate(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        row = tf.io.parse_example(examples, _PARSERS)
        measures = {measure_name(task, name) for task, names in RANKING_TASKS.items() for name in names}
        return {
            **{task: tf.identity(row[RECENCY]) for task in CHURN_TASKS},
            **dict.fromkeys(measures, row[TENURE] + self.bias),
            NEXT_CATEGORY_PREDICTED: row[LIFETIME_EVENTS],
        }

    @tf.function(input_signature=_EXAMPLES)
    def evaluation_labels(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        row = tf.io.parse_example(examples, _PARSERS)
        churn = {task: row[CHURN[horizon]] for task, horizon in zip(CHURN_TASKS, HORIZONS, strict=True)}
        return {
            **{label_key(task): tf.cast(tf.maximum(label, 0), tf.float32) for task, label in churn.items()},
            **{weight_key(task): tf.cast(label >= 0, tf.float32) for task, label in churn.items()},
            **{label_key(task): tf.cast(row[CUT_TIME], tf.float32) for task in RANKING_TASKS},
            **{weight_key(task): tf.cast(row[HORIZON_OBSERVED["short"]], tf.float32) for task in RANKING_TASKS},
        }


def save_tiny_model(directory: Path, bias: float = 0.0) -> Path:
    """Writes the SavedModel and returns its directory."""
    model = TinyModel(bias)
    signatures = {SERVE: model.serve, EVALUATE: model.evaluate, EVALUATION_LABELS: model.evaluation_labels}
    tf.saved_model.save(model, str(directory), signatures=signatures)
    return directory


def write_examples(path: Path, rows: Sequence[Mapping[str, Value]]) -> Path:
    """Writes one gzip TFRecord file; float, int and string values become the three kinds of features."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for row in rows:
            features = {name: _feature(value) for name, value in row.items()}
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    return path


def _feature(value: Value) -> tf.train.Feature:
    if isinstance(value, float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    if isinstance(value, int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    texts = [value] if isinstance(value, str) else value
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode() for text in texts]))
