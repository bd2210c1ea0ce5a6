"""A model against the baselines: all learn from the same train split and are measured on the same test split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from interest_migration.baselines.settings import BaselineSettings
from interest_migration.baselines.suite import fit_all
from interest_migration.evaluation.compare import compare
from interest_migration.evaluation.cuts import add_cuts
from interest_migration.evaluation.measures import LABEL, About, Measures, number_users, slices_of, value_columns
from interest_migration.evaluation.results import EvaluationReport
from interest_migration.evaluation.scores import MethodScores, TaskScores
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import IdSpaces, Numbers, dense_column
from interest_migration.evaluation.tasks import build_tasks
from interest_migration.ragged import Examples, read_examples
from schemas.features import CHURN, CUT_TIME, HORIZONS, TRANSFORMED_FEATURES, label_name


@dataclass(frozen=True)
class Contest:
    """Fitted baselines and their scores on the test split.

    Attributes:
      test: Transformed examples.
      scores: Task -> baseline -> scores.
      skipped: Task -> baseline -> why it gave none.
      spaces: Vocabulary sizes.
      settings: How scores are measured.
    """

    test: Examples
    scores: MethodScores
    skipped: Mapping[str, Mapping[str, str]]
    spaces: IdSpaces
    settings: EvaluationSettings

    @classmethod
    def prepare(
        cls,
        train_files: Sequence[str],
        test_files: Sequence[str],
        spaces: IdSpaces,
        baselines: BaselineSettings,
        settings: EvaluationSettings,
    ) -> Self:
        """Fits every baseline on one split of transformed examples and scores another.

        Raises:
          DataError: If a split has no example.
        """
        suite = fit_all(read_examples(train_files, TRANSFORMED_FEATURES), spaces, baselines)
        test = read_examples(test_files, TRANSFORMED_FEATURES)
        return cls(test, suite.score_all(test), suite.skipped, spaces, settings)

    def report(self, model_scores: TaskScores, seed: int) -> EvaluationReport:
        """Returns every metric of the model and the baselines, and their differences, the headlines also at each cut.

        Args:
          model_scores: Task -> the model's scores of the test split.
          seed: Seed of the intervals.
        """
        report = compare(self.test, model_scores, self.scores, self.spaces, self.settings, seed, self.skipped)
        return add_cuts(report, self.test, model_scores, self.scores, self.spaces, self.settings)

    def measures(self, seed: int) -> Measures:
        """Returns the table of the baselines, in the order of `test`.

        Args:
          seed: Seed of the resamples of those who read it.
        """
        values: dict[str, Numbers] = {}
        for horizon in HORIZONS:
            label = dense_column(self.test, label_name(CHURN[horizon]))
            values[f"{CHURN[horizon]}/{LABEL}"] = np.where(label < 0, np.nan, label)
        for task in build_tasks(self.test, self.spaces, self.settings):
            for method, scores in self.scores.get(task.name, {}).items():
                values |= value_columns(task.name, method, task.per_example(scores))
        users, times_s = number_users(self.test), dense_column(self.test, CUT_TIME)
        about = About(skipped=self.skipped, seed=seed, minimum_users=self.settings.minimum_users)
        return Measures(users, times_s, slices_of(self.test), values, about)
