"""The validation score that early stopping follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from interest_migration.evaluation.discrimination import auroc
from interest_migration.model.task_measures import task_labels, task_measures
from interest_migration.training.settings import SCORED_TASKS, ScoredTask
from schemas.features import HORIZONS
from schemas.signatures import RANKING_TASKS, label_key, measure_name, weight_key

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

SCORE = "score"


class Validation:
    """Scores a model on the eval split after every epoch.

    Args:
      model: The model.
      batches: Batches of the eval split, in a fixed order.
      scored: Tasks that the score averages.
    """

    def __init__(
        self, model: InterestModel, batches: tf.data.Dataset, scored: Sequence[ScoredTask] = SCORED_TASKS
    ) -> None:
        self._batches, self._scored = batches, scored

        def evaluate(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            outputs = model(batch, training=False)
            arguments = (model, batch, outputs)
            return task_measures(*arguments) | task_labels(*arguments)

        self._evaluate = tf.function(evaluate, input_signature=[batches.element_spec], autograph=False)

    def run(self) -> dict[str, float]:
        """Returns metric name -> value, and under `score` the mean over tasks of the metrics that are known.

        Unknown ones, as churn where the log cannot tell it, are left out.
        """
        batches = [self._evaluate(batch) for batch in self._batches]
        columns = {name: np.concatenate([batch[name].numpy() for batch in batches]) for name in batches[0]}
        metrics = _rates(columns) | _churn(columns)
        tasks = {
            "churn": [f"churn_{horizon}_auc" for horizon in HORIZONS],
            "propensity": [measure_name(f"propensity_{horizon}", "user_auc") for horizon in HORIZONS],
            "new_interest": [measure_name(f"new_interest_{horizon}", "user_auc") for horizon in HORIZONS],
            "next_category": [measure_name("next_category", "hit_at_5")],
            "next_item": [measure_name("next_item", "ndcg_at_10")],
        }
        known = [[metrics[name] for name in names if name in metrics] for names in map(tasks.__getitem__, self._scored)]
        return metrics | {SCORE: float(np.mean([sum(values) / len(values) for values in known if values] or [0.0]))}


def _rates(columns: dict[str, Any]) -> dict[str, float]:
    rates: dict[str, float] = {}
    for task, measures in RANKING_TASKS.items():
        weights = columns[weight_key(task)]
        if weights.any():
            names = [measure_name(task, measure) for measure in measures]
            rates |= {name: float(np.average(columns[name], weights=weights)) for name in names}
    return rates


def _churn(columns: dict[str, Any]) -> dict[str, float]:
    areas: dict[str, float] = {}
    for task in (f"churn_{horizon}" for horizon in HORIZONS):
        known = columns[weight_key(task)] > 0
        labels = columns[label_key(task)][known] > 0
        if labels.any() and not labels.all():
            areas[f"{task}_auc"] = auroc(columns[task][known], labels)
    return areas
