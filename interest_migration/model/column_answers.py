"""The signatures that take users' events as columns: `predict`, `embed`, `explain_columns`, `paths_columns`."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any

import tensorflow as tf

from interest_migration.examples.settings import ExampleSettings
from interest_migration.model.answers import best
from interest_migration.model.column_events import column_default, column_specs, read_events
from interest_migration.model.column_features import make_features
from interest_migration.model.names import Names
from interest_migration.model.raw_batch import RawBatch, Tensors
from schemas.signatures import (
    COLUMNS,
    EMBED,
    EXPLAIN_COLUMNS,
    ITEM_QUERY,
    MIGRATION_FROM,
    MIGRATION_PROBABILITY,
    MIGRATION_TO,
    MODEL_ID,
    PATHS_COLUMNS,
    PREDICT,
    REASON_EVENT,
    USER_EMBEDDING,
    Column,
)

Answer = Callable[[RawBatch, tf.Tensor], Tensors]
"""B raw examples and `[B, E]` places of their events in what was sent -> outputs."""


@dataclass(frozen=True)
class Answers:
    """What an exported model does with the parts of a `RawBatch` of B examples.

    Attributes:
      settings: How features are made of events.
      model_id: Digest of the model.
      answer: -> what `serving_default` returns; `next_category` `[B, V]` logits and `item_query` `[B, D]`; `[B]` ids of
        the current categories.
      explain: -> what `explain` returns.
      paths: -> what `paths` returns.
      categories: Names of the categories.
    """

    settings: ExampleSettings
    model_id: str
    answer: Callable[..., tuple[Tensors, Tensors, tf.Tensor]]
    explain: Callable[..., Tensors]
    paths: Callable[..., Tensors]
    categories: Names


def column_signatures(answers: Answers) -> dict[str, Any]:
    """Returns signature name -> function of the columns in `COLUMNS`."""

    def predict(batch: RawBatch, _: tf.Tensor) -> Tensors:
        found, scores, current = answers.answer(*batch.parts())
        migration = _migration(tf.nn.softmax(scores["next_category"]), current, answers.categories)
        return found | migration | _model_id(answers, batch)

    def embed(batch: RawBatch, _: tf.Tensor) -> Tensors:
        found, scores, _ = answers.answer(*batch.parts())
        query = tf.cast(scores["item_query"], tf.float32)
        return {USER_EMBEDDING: found[USER_EMBEDDING], ITEM_QUERY: query} | _model_id(answers, batch)

    def explain(batch: RawBatch, places: tf.Tensor) -> Tensors:
        found = answers.explain(*batch.parts())
        index = found[REASON_EVENT]
        sent = tf.gather(tf.pad(places, [[0, 0], [0, 1]]), tf.maximum(index, 0), batch_dims=1)
        return found | {REASON_EVENT: tf.where(index < 0, -1, tf.cast(sent, tf.int32))}

    def paths(batch: RawBatch, _: tf.Tensor) -> Tensors:
        return answers.paths(*batch.parts())

    read = _reader(answers.settings)
    made = {PREDICT: predict, EMBED: embed, EXPLAIN_COLUMNS: explain, PATHS_COLUMNS: paths}
    return {name: _of_columns(function, read) for name, function in made.items()}


def _reader(settings: ExampleSettings) -> Any:
    """Returns the function from columns to the parts of a batch and places, which is in the graph once."""

    def read(*values: tf.Tensor) -> tuple[tuple[Any, ...], tf.Tensor]:
        columns = dict(zip((column.name for column in COLUMNS), values, strict=True))
        batch, places = make_features(read_events(columns), settings)
        return batch.parts(), places

    return tf.function(read, autograph=False).get_concrete_function(*column_specs())


def _of_columns(answer: Answer, read: Any) -> Any:
    def function(*values: tf.Tensor) -> Tensors:
        parts, places = read(*values)
        return answer(RawBatch(*parts), places)

    # TensorFlow makes a parameter's default that of the exported input; parameters are named by the schema.
    function.__signature__ = Signature([_parameter(column) for column in COLUMNS])  # type: ignore[attr-defined]
    return tf.function(function, input_signature=column_specs(), autograph=False)


def _parameter(column: Column) -> Parameter:
    default = Parameter.empty if column.default is None else column_default(column)
    return Parameter(column.name, Parameter.POSITIONAL_OR_KEYWORD, default=default)


def _model_id(answers: Answers, batch: RawBatch) -> Tensors:
    return {MODEL_ID: tf.fill([tf.shape(batch.kept)[0]], answers.model_id)}


def _migration(chances: tf.Tensor, current: tf.Tensor, categories: Names) -> Tensors:
    """Where interest goes, if it goes: the likeliest categories but the current one."""
    ids = tf.range(1, tf.shape(chances)[1] + 1)
    others = tf.where(ids == current[:, tf.newaxis], 0.0, chances)
    to, probability = best(others)
    return {
        MIGRATION_FROM: categories(current),
        MIGRATION_TO: categories(tf.where(probability > 0, to, 0)),
        MIGRATION_PROBABILITY: probability,
    }
