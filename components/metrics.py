"""TFMA metrics of our own: one cheap combiner per task instead of one TFMA metric per measure.

They read the predictions that the model's `evaluate` signature returns, the task's label and its weight. TFMA's own
AUC keeps 10,000 thresholds per slice, which is far slower than the counts kept here when there are hundreds of slices.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.utils import util

from interest_migration.gates.classification import confusion, score_classes
from interest_migration.gates.metrics import CHURN_METRICS, EXAMPLE_COUNT
from interest_migration.gates.probabilities import ProbabilityCounts, confusion_at, score_probabilities

_STEPS: Final = 100_000
"""Probabilities are counted in steps of 1/100,000, so that memory is bounded however many examples there are."""

Terms = Iterable[tuple[Any, float]]
"""Keys and what is added under each of them."""

Totals = dict[Any, float]
Values = dict[str, Any]


class RankingMeasures(metric_types.Metric):
    """Means of per-example measures, weighted by the task's example weight.

    Args:
      predictions: Metric name -> name of the prediction that holds the measure, `[B]`.
      name: Name of the group.
    """

    def __init__(self, predictions: Mapping[str, str], name: str = "ranking_measures") -> None:
        super().__init__(_compute_means, name=name, predictions=dict(predictions))


class CategoryClassification(metric_types.Metric):
    """Accuracy, macro and weighted precision, recall, F1, and the confusion of the most frequent categories.

    Args:
      prediction: Name of the prediction that holds the id of the category ranked first, `[B]`.
      categories: Number of categories in the confusion matrix.
      name: Name of the group.
    """

    def __init__(self, prediction: str, categories: int, name: str = "category_classification") -> None:
        super().__init__(_compute_classification, name=name, prediction=prediction, categories=categories)


class ChurnClassification(metric_types.Metric):
    """AUC, PR-AUC, accuracy, precision, recall, F1, calibration and confusion matrices of a probability.

    Args:
      threshold: Probability from which a user counts as predicted to churn.
      confusion_thresholds: Probabilities at which a confusion matrix is reported.
      name: Name of the group.
    """

    def __init__(
        self, threshold: float, confusion_thresholds: Sequence[float], name: str = "churn_classification"
    ) -> None:
        super().__init__(
            _compute_churn, name=name, threshold=threshold, confusion_thresholds=list(confusion_thresholds)
        )


def _compute_means(
    name: str,
    predictions: Mapping[str, str],
    model_names: Sequence[str] = ("",),
    output_names: Sequence[str] = ("",),
    example_weighted: bool = True,
) -> list[metric_types.MetricComputation]:
    def terms(weight: float, label: int, values: Sequence[float]) -> Terms:
        measures = zip(predictions, values, strict=True)
        return [(EXAMPLE_COUNT, weight), *((metric, weight * value) for metric, value in measures)]

    def finish(totals: Totals) -> Values:
        weight = totals.get(EXAMPLE_COUNT, 0.0)
        means = {metric: totals.get(metric, 0.0) / weight if weight else float("nan") for metric in predictions}
        return {**means, EXAMPLE_COUNT: weight}

    metrics = (*predictions, EXAMPLE_COUNT)
    return [
        _computation(metrics, model, task, tuple(predictions.values()), terms, finish)
        for model in model_names
        for task in output_names
    ]


def _compute_classification(
    name: str,
    prediction: str,
    categories: int,
    model_names: Sequence[str] = ("",),
    output_names: Sequence[str] = ("",),
    example_weighted: bool = True,
) -> list[metric_types.MetricComputation]:
    def terms(weight: float, label: int, values: Sequence[float]) -> Terms:
        return [((label, int(values[0])), weight)]

    def finish(totals: Totals) -> Values:
        shown, counts = confusion(totals, categories)
        return {**score_classes(totals), "confusion_categories": shown, "confusion_counts": counts}

    metrics = (*score_classes({}), "confusion_categories", "confusion_counts")
    return [
        _computation(metrics, model, task, (prediction,), terms, finish)
        for model in model_names
        for task in output_names
    ]


def _compute_churn(
    name: str,
    threshold: float,
    confusion_thresholds: Sequence[float],
    model_names: Sequence[str] = ("",),
    output_names: Sequence[str] = ("",),
    example_weighted: bool = True,
) -> list[metric_types.MetricComputation]:
    def terms(weight: float, label: int, values: Sequence[float]) -> Terms:
        return [((round(values[0] * _STEPS), label), weight)]

    def finish(totals: Totals) -> Values:
        counts = _count_probabilities(totals)
        return {
            **score_probabilities(counts, threshold),
            EXAMPLE_COUNT: float(counts.negatives.sum() + counts.positives.sum()),
            "confusion_at_thresholds": confusion_at(counts, confusion_thresholds),
        }

    metrics = (*CHURN_METRICS, EXAMPLE_COUNT, "confusion_at_thresholds")
    return [
        _computation(metrics, model, task, (task,), terms, finish) for model in model_names for task in output_names
    ]


def _computation(
    metrics: Iterable[str],
    model: str,
    task: str,
    predictions: Sequence[str],
    terms: Callable[[float, int, Sequence[float]], Terms],
    finish: Callable[[Totals], Values],
) -> metric_types.MetricComputation:
    keys = {metric: _key(metric, model, task) for metric in metrics}
    return metric_types.MetricComputation(
        keys=list(keys.values()),
        preprocessors=[_ExampleTerms(model, task, predictions, terms)],
        combiner=_SumTerms(keys, finish),
    )


def _key(metric: str, model: str, task: str) -> metric_types.MetricKey:
    # Thresholds of a metric with several keys are looked up with example_weighted=None; weights are always used here.
    return metric_types.MetricKey(name=metric, model_name=model, output_name=task, example_weighted=None)


def _count_probabilities(totals: Totals) -> ProbabilityCounts:
    """(step, label) -> weight, as arrays over the distinct steps."""
    steps, places = np.unique(np.asarray([step for step, _ in totals], np.int64), return_inverse=True)
    counts = np.zeros((2, len(steps)))
    for place, ((_, label), weight) in zip(places, totals.items(), strict=True):
        counts[label, place] += weight
    return ProbabilityCounts(steps / _STEPS, counts[0], counts[1])


class _ExampleTerms(metric_types.Preprocessor):
    """What one example adds to the sums; runs once per example, before it is copied to each of its slices."""

    def __init__(
        self,
        model: str,
        task: str,
        predictions: Sequence[str],
        terms: Callable[[float, int, Sequence[float]], Terms],
    ) -> None:
        super().__init__(model=model, task=task, predictions=tuple(predictions))
        self._model, self._task, self._predictions, self._terms = model, task, predictions, terms

    def process(self, extracts: Mapping[str, Any]) -> Iterator[Terms]:
        values = util.StandardExtracts(extracts)
        weight = _scalar(values.get_example_weights(self._model, self._task))
        if weight > 0:
            label = int(_scalar(values.get_labels(self._model, self._task)))
            predictions = [_scalar(values.get_predictions(self._model, name)) for name in self._predictions]
            yield self._terms(weight, label, predictions)


def _scalar(value: Any) -> float:
    return float(np.asarray(value).item())


@beam.typehints.with_input_types(Any)
@beam.typehints.with_output_types(Any)
class _SumTerms(beam.CombineFn):
    """Sums terms by key; `finish` turns the sums into metrics."""

    def __init__(self, keys: Mapping[str, metric_types.MetricKey], finish: Callable[[Totals], Values]) -> None:
        self._keys, self._finish = keys, finish

    def create_accumulator(self) -> Totals:
        return {}

    def add_input(self, accumulator: Totals, element: Terms) -> Totals:
        for key, amount in element:
            accumulator[key] = accumulator.get(key, 0.0) + amount
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Totals]) -> Totals:
        merged: Totals = {}
        for accumulator in accumulators:
            self.add_input(merged, accumulator.items())
        return merged

    def extract_output(self, accumulator: Totals) -> dict[metric_types.MetricKey, Any]:
        return {self._keys[metric]: value for metric, value in self._finish(accumulator).items()}
