"""What exported models answer about raw examples with labels: their `evaluate` signatures, over whole files."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.errors import DataError
from interest_migration.evaluation.measures import value_columns
from interest_migration.evaluation.tasks import PREDICTED, SCORE, TRUE
from schemas.features import CUT_TIME, USER
from schemas.signatures import (
    CHURN_TASKS,
    EVALUATE,
    EVALUATION_LABELS,
    EXAMPLES,
    NEXT_CATEGORY_PREDICTED,
    RANKING_TASKS,
    label_key,
    measure_name,
    weight_key,
)

Columns = dict[str, npt.NDArray[Any]]
_KEYS = {USER: tf.io.FixedLenFeature([], tf.string), CUT_TIME: tf.io.FixedLenFeature([], tf.int64)}


def evaluate_model(model: str, paths: Sequence[str], method: str, batch_size: int = 512) -> Columns:
    """Measures a model on raw examples, whatever vocabulary it was trained with.

    Args:
      model: Folder of the SavedModel.
      paths: Gzip TFRecord files of raw examples.
      method: Name of the model in the table of measures.
      batch_size: Examples per batch.

    Returns:
      USER and CUT_TIME `[N]`, and `task/method/measure` -> `[N]`, NaN where an example does not count.

    Raises:
      DataError: If the model cannot be loaded, lacks a signature or does not answer as agreed, or there is no example.
    """
    try:
        return _evaluate(tf.saved_model.load(model), paths, method, batch_size)
    except (KeyError, OSError, ValueError, tf.errors.OpError) as error:
        cause = str(error).split("\n")[0][:200]
        raise DataError(
            f"expected a model with the signatures {EVALUATE} and {EVALUATION_LABELS} that reads today's examples in "
            f"{model}, received: {cause}"
        ) from error


def match_examples(columns: Columns, users: Any, times_s: Any) -> npt.NDArray[np.int64]:
    """Finds raw examples among transformed ones, which Transform may have put in another order.

    Args:
      columns: What `evaluate_model` returned of N raw examples.
      users: `[N]` pseudonyms of the transformed examples.
      times_s: `[N]` their cut times.

    Returns:
      `[N]`, the place of each raw example among the transformed ones.

    Raises:
      DataError: If the examples are not the same.
    """
    raw, transformed = np.lexsort((columns[CUT_TIME], columns[USER])), np.lexsort((times_s, users))
    same = len(raw) == len(transformed) and all(
        np.array_equal(columns[name][raw], np.asarray(wanted)[transformed])
        for name, wanted in ((USER, users), (CUT_TIME, times_s))
    )
    if not same:
        raise DataError(
            f"expected the same examples raw and transformed, received {len(raw)} and {len(transformed)} that differ"
        )
    places = np.empty(len(raw), np.int64)
    places[raw] = transformed
    return places


def without_keys(columns: Columns) -> Columns:
    """Returns the measures alone."""
    return {name: values for name, values in columns.items() if name not in _KEYS}


def _evaluate(loaded: Any, paths: Sequence[str], method: str, batch_size: int) -> Columns:
    signatures = [loaded.signatures[name] for name in (EVALUATE, EVALUATION_LABELS)]
    records = tf.data.TFRecordDataset(sorted(paths), compression_type="GZIP", buffer_size=1 << 20).batch(batch_size)
    parts: dict[str, list[npt.NDArray[Any]]] = {}
    for batch in records:
        found = tf.io.parse_example(batch, _KEYS)
        for signature in signatures:
            found |= signature(**{EXAMPLES: batch})
        for name, values in found.items():
            parts.setdefault(name, []).append(values.numpy())
    if not parts:
        raise DataError(f"expected raw examples in {', '.join(paths) or 'some files'}, received none")
    answers = {name: np.concatenate(values) for name, values in parts.items()}
    return {name: answers[name] for name in _KEYS} | _by_task(answers, method)


def _by_task(answers: Columns, method: str) -> Columns:
    columns: Columns = {}
    for task in (*CHURN_TASKS, *RANKING_TASKS):
        unknown = answers[weight_key(task)] <= 0
        values = {name: np.where(unknown, np.nan, answers[key]) for name, key in _answers_of(task).items()}
        columns |= value_columns(task, method, values)
    return columns


def _answers_of(task: str) -> Mapping[str, str]:
    """Measure -> name of the answer that holds it."""
    if task in CHURN_TASKS:
        return {SCORE: task}
    names = {measure: measure_name(task, measure) for measure in RANKING_TASKS[task]}
    classified = {PREDICTED: NEXT_CATEGORY_PREDICTED, TRUE: label_key(task)} if task == "next_category" else {}
    return names | classified
