"""Scores trained models on the test split, each on the same resamples of users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tensorflow as tf

from interest_migration.evaluation.bootstrap import Draws, Resamples
from interest_migration.evaluation.results import ALL
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import IdSpaces, dense_column
from interest_migration.evaluation.tasks import NEXT_ITEM, build_tasks
from interest_migration.model.inputs import INPUT_SPECS, pad, parsers
from interest_migration.model.scores import PROBABILITIES, concatenate
from interest_migration.model.task_measures import new_interest_shares
from interest_migration.ragged import read_examples
from schemas.features import HORIZONS, TRANSFORMED_FEATURES, USER, Role

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

METRICS: Final = {
    **{f"churn_{horizon}": "auroc" for horizon in HORIZONS},
    **{f"propensity_{horizon}": "user_auc" for horizon in HORIZONS},
    **{f"new_interest_{horizon}": "user_auc" for horizon in HORIZONS},
    "next_category": "hit_at_5",
}
"""Task -> the metric that stands for it."""

_BATCH = 512


class Scorer:
    """The test split, its labels and the resamples of its users.

    Args:
      paths: Gzip TFRecord files of transformed examples.
      spaces: Vocabulary sizes.
      settings: Candidates and resamples.
      seed: Seed of the resamples.
    """

    def __init__(self, paths: Sequence[str], spaces: IdSpaces, settings: EvaluationSettings, seed: int) -> None:
        self._paths = sorted(paths)
        read = [spec for spec in TRANSFORMED_FEATURES if spec.role is not Role.SLICE]
        examples = read_examples(self._paths, read)
        self._tasks = [task for task in build_tasks(examples, spaces, settings) if task.name != NEXT_ITEM]
        users = dense_column(examples, USER)
        self._resamples = Resamples.draw(users, settings.resamples, seed, settings.maximum_clusters)
        self.examples, self.users = len(users), len(np.unique(users))

    def __call__(self, model: InterestModel) -> dict[str, Draws]:
        """Returns task -> draws of its metric, `[1 + R]`; tasks without a label in the split are left out."""
        scores = self._score(model)
        found: dict[str, Draws] = {}
        for task in self._tasks:
            if task.known:
                found[task.name] = task.measure(scores[task.name], self._resamples)[ALL, METRICS[task.name]].draws
        return found

    def _score(self, model: InterestModel) -> Mapping[str, Any]:
        """Items are not scored: their softmax would take most of the time."""
        records = tf.data.TFRecordDataset(self._paths, compression_type="GZIP", buffer_size=1 << 20)
        score = tf.function(lambda inputs: _columns(model, inputs), reduce_retracing=True, autograph=False)
        return concatenate(
            score(pad(tf.io.parse_example(batch, parsers(INPUT_SPECS)), INPUT_SPECS)) for batch in records.batch(_BATCH)
        )


def _columns(model: InterestModel, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    outputs = model(inputs, training=False)
    found = {name: tf.sigmoid(outputs[name]) for name in PROBABILITIES}
    found |= {f"new_interest_{horizon}": new_interest_shares(model, inputs, outputs, horizon) for horizon in HORIZONS}
    return found | {"next_category": outputs["next_category"]}
