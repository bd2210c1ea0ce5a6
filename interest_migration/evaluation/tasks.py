"""The tasks: which examples and candidates count, and how scores are measured.

| task | examples | candidates | labels |
|---|---|---|---|
| churn_h | `churn_h` known | - | left or not |
| propensity_h | horizon observed | categories 1..C | categories of the horizon |
| new_interest_h | horizon observed | of these, not touched in the last W days | new categories of the horizon |
| next_category | next step known | categories 1..C | categories of the step |
| next_item | next step known | items 1..I | items of the step |

Labels outside the vocabulary cannot be ranked by any method. They are left out, and so is an example whose labels
all are; the note of the measurement counts such examples.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interest_migration.errors import ContractError
from interest_migration.evaluation import classification, measurements, ranking
from interest_migration.evaluation.bootstrap import Resamples
from interest_migration.evaluation.measurements import Measured, Measurement, undefined
from interest_migration.evaluation.results import ALL, REPEATED, SWITCHED
from interest_migration.evaluation.scores import Scores
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import (
    IdSpaces,
    Numbers,
    dense_column,
    known_ids,
    membership,
    ragged_column,
    select,
    take_rows,
)
from interest_migration.ragged import Examples, Ragged
from schemas.features import (
    CHURN,
    FUTURE_CATEGORIES,
    HORIZON_OBSERVED,
    HORIZONS,
    INTEREST_IDS,
    INTEREST_RECENCY,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    label_name,
)
from schemas.features import SWITCHED as SWITCHED_LABEL

NEXT_CATEGORY, NEXT_ITEM = "next_category", "next_item"
CHURN_TASK = {horizon: f"churn_{horizon}" for horizon in HORIZONS}
PROPENSITY_TASK = {horizon: f"propensity_{horizon}" for horizon in HORIZONS}
NEW_INTEREST_TASK = {horizon: f"new_interest_{horizon}" for horizon in HORIZONS}

PROPENSITY_METRICS = ("macro_auroc", "user_auc", "ndcg_at_10")
NEW_INTEREST_METRICS = ("user_auc", "hit_at_10", "ndcg_at_10")
NEXT_CATEGORY_METRICS = ("hit_at_1", "hit_at_5", "hit_at_10", "ndcg_at_10", "reciprocal_rank")
NEXT_ITEM_METRICS = ("hit_at_10", "ndcg_at_10", "reciprocal_rank")

_DEPTH = 10  # the deepest cut-off above
Measure = Callable[[Scores, Resamples], Measured]
PerExample = Callable[[Scores], dict[str, Numbers]]

SCORE, PREDICTED, TRUE = "score", "predicted", "true"
"""What `Task.per_example` holds besides ranking measures: churn scores; the category ranked first and the true one."""


@dataclass(frozen=True)
class Task:
    """One task on given examples.

    Attributes:
      name: Name of the task.
      metrics: Every (subset, metric) that `measure` returns.
      known: Number of examples whose label is known.
      measure: Scores of all N examples and their resamples -> measurements.
      per_example: Scores of all N examples -> `[N]` values by name, NaN where one does not count: ranking measures,
        SCORE, PREDICTED and TRUE. Empty if no label is known.
    """

    name: str
    metrics: tuple[tuple[str, str], ...]
    known: int
    measure: Measure
    per_example: PerExample


def build_tasks(examples: Examples, spaces: IdSpaces, settings: EvaluationSettings) -> tuple[Task, ...]:
    """Returns all tasks on the given examples, also those without any known label."""
    tasks = [_churn(examples, horizon, settings) for horizon in HORIZONS]
    for horizon in HORIZONS:
        tasks += [
            _propensity(examples, horizon, spaces, settings),
            _new_interest(examples, horizon, spaces, settings),
        ]
    return (*tasks, _next_category(examples, spaces), _next_item(examples, spaces, settings))


def new_interest_candidates(examples: Examples, spaces: IdSpaces, window_days: float) -> npt.NDArray[np.bool_]:
    """Returns `[N, C]`, true for categories that were not touched in the last `window_days` days.

    Example:
      C = 3, profile ids [2, 1] touched 10 and 60 days ago, window 56 -> [1, 0, 1].
    """
    ids, recency = ragged_column(examples, INTEREST_IDS), ragged_column(examples, INTEREST_RECENCY)
    days: Numbers = recency.values
    touched = known_ids(select(ids, days <= window_days), spaces.categories)
    return ~membership(touched, spaces.categories)


def _churn(examples: Examples, horizon: str, settings: EvaluationSettings) -> Task:
    labels = dense_column(examples, label_name(CHURN[horizon]))
    rows = np.flatnonzero(labels >= 0)
    positives = labels[rows] == 1

    def measure(scores: Scores, resamples: Resamples) -> Measured:
        array = _array(scores, (len(labels),))
        measured = measurements.measure_binary(array[rows], positives, resamples.take(rows), settings)
        return {(ALL, name): measurement for name, measurement in measured.items()}

    def per_example(scores: Scores) -> dict[str, Numbers]:
        return {SCORE: _spread(_array(scores, (len(labels),))[rows], rows, len(labels))}

    return _task(CHURN_TASK[horizon], [ALL], measurements.CHURN_METRICS, len(rows), measure, per_example)


def _propensity(examples: Examples, horizon: str, spaces: IdSpaces, settings: EvaluationSettings) -> Task:
    rows, labels = _horizon_labels(examples, FUTURE_CATEGORIES[horizon], horizon, spaces)
    positives = membership(labels, spaces.categories)
    metrics = (*PROPENSITY_METRICS, *measurements.POOLED_METRICS)
    total = len(dense_column(examples, label_name(HORIZON_OBSERVED[horizon])))

    def measure(scores: Scores, resamples: Resamples) -> Measured:
        array, own = _array(scores, (total, spaces.categories))[rows], resamples.take(rows)
        macro = measurements.measure_macro_auroc(array, positives, own, settings.minimum_positives)
        ranks = ranking.rank_labels(array, labels)
        measured = measurements.measure_ranks(ranks, PROPENSITY_METRICS[1:], own) | {PROPENSITY_METRICS[0]: macro}
        measured |= measurements.measure_pooled_probabilities(array, positives, own, settings)
        return {(ALL, name): measured[name] for name in metrics}

    def per_example(scores: Scores) -> dict[str, Numbers]:
        ranks = ranking.rank_labels(_array(scores, (total, spaces.categories))[rows], labels)
        return _spread_ranks(ranks, PROPENSITY_METRICS[1:], rows, total)

    return _task(PROPENSITY_TASK[horizon], [ALL], metrics, len(rows), measure, per_example)


def _new_interest(examples: Examples, horizon: str, spaces: IdSpaces, settings: EvaluationSettings) -> Task:
    rows, new = _horizon_labels(examples, NEW_CATEGORIES[horizon], horizon, spaces)
    every = new_interest_candidates(examples, spaces, settings.new_interest_days)
    candidates = every[rows]
    labels = select(new, candidates[new.row_ids, new.values])

    def rank(scores: Scores) -> ranking.LabelRanks:
        return ranking.rank_labels(_array(scores, every.shape)[rows], labels, candidates)

    def measure(scores: Scores, resamples: Resamples) -> Measured:
        measured = measurements.measure_ranks(rank(scores), NEW_INTEREST_METRICS, resamples.take(rows))
        return {(ALL, name): measurement for name, measurement in measured.items()}

    def per_example(scores: Scores) -> dict[str, Numbers]:
        return _spread_ranks(rank(scores), NEW_INTEREST_METRICS, rows, len(every))

    return _task(NEW_INTEREST_TASK[horizon], [ALL], NEW_INTEREST_METRICS, len(rows), measure, per_example)


def _next_category(examples: Examples, spaces: IdSpaces) -> Task:
    every = ragged_column(examples, label_name(NEXT_CATEGORIES))
    rows, labels, note = _next_labels(every, spaces.categories)
    switched = dense_column(examples, label_name(SWITCHED_LABEL))[rows]
    subsets = {
        ALL: np.arange(len(rows)),
        SWITCHED: np.flatnonzero(switched == 1),
        REPEATED: np.flatnonzero(switched == 0),
    }

    def measure(scores: Scores, resamples: Resamples) -> Measured:
        array = _array(scores, (len(every), spaces.categories))
        measured: dict[tuple[str, str], Measurement] = {}
        for subset, part in subsets.items():
            chosen, own, some = array[rows[part]], take_rows(labels, part), resamples.take(rows[part])
            ranks = ranking.rank_labels(chosen, own)
            values = measurements.measure_ranks(ranks, NEXT_CATEGORY_METRICS, some)
            values |= measurements.measure_classes(chosen, own, some)
            measured |= {(subset, name): _annotate(value, note) for name, value in values.items()}
        return measured

    def per_example(scores: Scores) -> dict[str, Numbers]:
        array = _array(scores, (len(every), spaces.categories))[rows]
        predicted = classification.predict_class(array)
        classes = {PREDICTED: predicted, TRUE: classification.true_class(predicted, labels)}
        ranks = ranking.rank_labels(array, labels)
        return _spread_ranks(ranks, NEXT_CATEGORY_METRICS, rows, len(every)) | {
            name: _spread(values + 1.0, rows, len(every)) for name, values in classes.items()
        }

    metrics = (*NEXT_CATEGORY_METRICS, *measurements.CLASS_METRICS)
    return _task(NEXT_CATEGORY, list(subsets), metrics, len(rows), measure, per_example)


def _next_item(examples: Examples, spaces: IdSpaces, settings: EvaluationSettings) -> Task:
    every = ragged_column(examples, label_name(NEXT_ITEMS))
    rows, _, note = _next_labels(every, spaces.items)
    everywhere = known_ids(every, spaces.items)

    def rank(scores: Scores) -> ranking.LabelRanks:
        parts = [
            _rank_items(scores, everywhere, start, min(start + settings.scored_rows, len(every)), spaces.items)
            for start in range(0, len(every), settings.scored_rows)
        ]
        return ranking.concatenate_ranks(parts)

    def measure(scores: Scores, resamples: Resamples) -> Measured:
        measured = measurements.measure_ranks(rank(scores), NEXT_ITEM_METRICS, resamples)
        return {(ALL, name): _annotate(measurement, note) for name, measurement in measured.items()}

    def per_example(scores: Scores) -> dict[str, Numbers]:
        return _spread_ranks(rank(scores), NEXT_ITEM_METRICS, np.arange(len(every)), len(every))

    return _task(NEXT_ITEM, [ALL], NEXT_ITEM_METRICS, len(rows), measure, per_example)


def _rank_items(scores: Scores, labels: Ragged, start: int, stop: int, items: int) -> ranking.LabelRanks:
    block = scores[start:stop] if isinstance(scores, np.ndarray) else scores(start, stop)
    part = take_rows(labels, np.arange(start, stop))
    return ranking.rank_labels(_array(block, (stop - start, items)), part, depth=_DEPTH)


def _task(
    name: str,
    subsets: Sequence[str],
    metrics: Sequence[str],
    known: int,
    measure: Measure,
    per_example: PerExample,
) -> Task:
    keys = tuple((subset, metric) for subset in subsets for metric in metrics)

    def guarded(scores: Scores, resamples: Resamples) -> Measured:
        if not known:
            return dict.fromkeys(keys, undefined(f"no example has a known label of {name}", resamples))
        try:
            return measure(scores, resamples)
        except _NotFiniteError as error:
            return dict.fromkeys(keys, undefined(str(error), resamples))

    def values(scores: Scores) -> dict[str, Numbers]:
        try:
            return per_example(scores) if known else {}
        except _NotFiniteError:
            return {}

    return Task(name, keys, known, guarded, values)


def _spread(values: Numbers, rows: Numbers, total: int) -> Numbers:
    """Returns `[total]`, the values at their rows and NaN elsewhere."""
    column = np.full(total, np.nan)
    column[rows] = values
    return column


def _spread_ranks(ranks: ranking.LabelRanks, metrics: Sequence[str], rows: Numbers, total: int) -> dict[str, Numbers]:
    return {metric: _spread(measurements.rank_values(ranks, metric), rows, total) for metric in metrics}


class _NotFiniteError(Exception):
    """Scores that hold NaN."""


def _array(scores: Scores, shape: tuple[int, ...]) -> Numbers:
    if not isinstance(scores, np.ndarray) or scores.shape != shape:
        received = getattr(scores, "shape", type(scores).__name__)
        raise ContractError(f"expected scores of shape {shape}, received {received}")
    if np.isnan(scores).any():
        raise _NotFiniteError(f"{np.isnan(scores).sum()} scores are NaN")
    return scores


def _horizon_labels(examples: Examples, name: str, horizon: str, spaces: IdSpaces) -> tuple[Numbers, Ragged]:
    """Returns the examples whose horizon the log covers, and their category columns."""
    rows = np.flatnonzero(dense_column(examples, label_name(HORIZON_OBSERVED[horizon])) == 1)
    return rows, known_ids(take_rows(ragged_column(examples, label_name(name)), rows), spaces.categories)


def _next_labels(labels: Ragged, size: int) -> tuple[Numbers, Ragged, str]:
    """Returns the examples with a label inside the vocabulary, their columns, and a note about the others."""
    inside = known_ids(labels, size)
    rows = np.flatnonzero(inside.lengths)
    outside = int((labels.lengths > 0).sum()) - len(rows)
    note = f"{outside} examples left out: all their labels are out of vocabulary" if outside else ""
    return rows, take_rows(inside, rows), note


def _annotate(measurement: Measurement, note: str) -> Measurement:
    joined = "; ".join(part for part in (measurement.note, note) if part)
    return Measurement(measurement.draws, measurement.examples, measurement.positives, joined)
