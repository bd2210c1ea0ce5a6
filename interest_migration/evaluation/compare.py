"""The model beside the baselines: every task, metric and paired difference."""

from collections.abc import Iterator, Mapping

import numpy as np

from interest_migration.evaluation.bootstrap import Draws, Resamples, percentile_interval
from interest_migration.evaluation.measurements import Measured, Measurement, undefined
from interest_migration.evaluation.results import Comparison, EvaluationReport, MetricValue
from interest_migration.evaluation.scores import MethodScores, TaskScores
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import IdSpaces, dense_column
from interest_migration.evaluation.tasks import Task, build_tasks
from interest_migration.ragged import Examples
from schemas.features import USER

MODEL = "model"


def compare(
    examples: Examples,
    model_scores: TaskScores,
    baseline_scores: MethodScores,
    spaces: IdSpaces,
    settings: EvaluationSettings,
    seed: int,
    skipped: Mapping[str, Mapping[str, str]] | None = None,
) -> EvaluationReport:
    """Measures the model and the baselines on the same examples and candidates.

    Args:
      examples: Transformed examples of the split that is evaluated.
      model_scores: Task -> scores (see `interest_migration.evaluation.scores`). Tasks it lacks are reported for the
        baselines only.
      baseline_scores: Task -> baseline -> scores.
      spaces: Vocabulary sizes.
      settings: Candidates, intervals, thresholds.
      seed: Seed of the resamples.
      skipped: Task -> baseline -> why it gave no scores; reported as undefined.

    Returns:
      All values and paired differences. What cannot be measured is NaN with a note; it never raises for lack of labels.

    Raises:
      ContractError: If a column is missing or scores do not have the documented shape.
    """
    users = dense_column(examples, USER)
    resamples = Resamples.draw(users, settings.resamples, seed, settings.maximum_clusters)
    values: list[MetricValue] = []
    comparisons: list[Comparison] = []
    for task in build_tasks(examples, spaces, settings):
        measured = dict(_measure_methods(task, model_scores, baseline_scores, skipped or {}, resamples))
        values += _values(task, measured, settings.confidence)
        comparisons += _comparisons(task, measured, settings.confidence)
    return EvaluationReport(
        values=tuple(values),
        comparisons=tuple(comparisons),
        examples=len(users),
        users=len(np.unique(users)),
        resamples=settings.resamples,
        confidence=settings.confidence,
        seed=seed,
    )


def _measure_methods(
    task: Task,
    model_scores: TaskScores,
    baseline_scores: MethodScores,
    skipped: Mapping[str, Mapping[str, str]],
    resamples: Resamples,
) -> Iterator[tuple[str, Measured]]:
    if task.name in model_scores:
        yield MODEL, task.measure(model_scores[task.name], resamples)
    for method, scores in baseline_scores.get(task.name, {}).items():
        yield method, task.measure(scores, resamples)
    for method, reason in skipped.get(task.name, {}).items():
        yield method, dict.fromkeys(task.metrics, undefined(reason, resamples))


def _values(task: Task, measured: Mapping[str, Measured], confidence: float) -> Iterator[MetricValue]:
    for subset, metric in task.metrics:
        for method, measurements in measured.items():
            yield _value(task.name, method, subset, metric, measurements[subset, metric], confidence)


def _value(
    task: str, method: str, subset: str, metric: str, measurement: Measurement, confidence: float
) -> MetricValue:
    interval = percentile_interval(measurement.draws, confidence)
    value = float(measurement.draws[0])
    note = measurement.note or ("undefined: no example counts" if np.isnan(value) else "")
    return MetricValue(
        method,
        task,
        subset,
        metric,
        value,
        interval.low,
        interval.high,
        measurement.examples,
        measurement.positives,
        note,
    )


def _comparisons(task: Task, measured: Mapping[str, Measured], confidence: float) -> Iterator[Comparison]:
    if MODEL not in measured:
        return
    for key in task.metrics:
        for method, measurements in measured.items():
            if method != MODEL:
                yield _comparison(task.name, method, key, measured[MODEL][key], measurements[key], confidence)


def _comparison(
    task: str, method: str, key: tuple[str, str], model: Measurement, baseline: Measurement, confidence: float
) -> Comparison:
    difference: Draws = model.draws - baseline.draws
    interval = percentile_interval(difference, confidence)
    note = next((side.note for side in (model, baseline) if np.isnan(side.draws[0])), "")
    return Comparison(task, *key, method, float(difference[0]), interval.low, interval.high, note)
