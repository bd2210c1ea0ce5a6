"""Churn from the aggregates: logistic regression on recency, frequency and money; gradient boosting on all of them."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from interest_migration.baselines.aggregates import aggregate_columns, aggregate_index
from interest_migration.baselines.boosting import BoostedTrees
from interest_migration.baselines.settings import BaselineSettings
from interest_migration.errors import DataError
from interest_migration.evaluation.spaces import Numbers, dense_column
from interest_migration.evaluation.tasks import CHURN_TASK
from interest_migration.ragged import Examples
from schemas.features import (
    AGGREGATE_WIDTH,
    CHURN,
    GAP_MEAN,
    LIFETIME_SPEND,
    LIFETIME_STEPS,
    RECENCY,
    TENURE,
    WINDOW_SPEND,
    WINDOW_STEPS,
    label_name,
)

LIFETIME_COLUMNS = tuple(map(aggregate_index, (RECENCY, LIFETIME_STEPS, LIFETIME_SPEND, TENURE, GAP_MEAN)))
"""Recency, frequency and money since the first event, age, and rate as mean gap."""

WINDOW_COLUMNS = (
    *map(aggregate_index, (RECENCY, TENURE, GAP_MEAN)),
    aggregate_index(WINDOW_STEPS, 56),
    aggregate_index(WINDOW_SPEND, 56),
)
"""The same with frequency and money of the last 56 days."""


class _Classifier(Protocol):
    def fit(self, features: Numbers, labels: Numbers) -> object: ...

    def predict_proba(self, features: Numbers) -> Numbers: ...


class _ChurnBaseline:
    """A probabilistic classifier on some columns of the aggregates."""

    def __init__(self, name: str, horizon: str, columns: tuple[int, ...], classifier: _Classifier) -> None:
        self.name = name
        self.tasks = (CHURN_TASK[horizon],)
        self._label = label_name(CHURN[horizon])
        self._columns = columns
        self._classifier = classifier

    def fit(self, train: Examples) -> None:
        """Fits the classifier on the examples whose label is known."""
        labels = dense_column(train, self._label)
        known = np.flatnonzero(labels >= 0)
        classes = np.unique(labels[known])
        if len(classes) < 2:
            received = classes.tolist() or "no known label"
            raise DataError(f"expected training examples with '{self._label}' 0 and 1, received {received}")
        self._classifier.fit(aggregate_columns(train, self._columns)[known], labels[known])

    def score(self, examples: Examples) -> npt.NDArray[np.float64]:
        """Returns `[N]`, the probability of leaving."""
        probabilities: npt.NDArray[np.float64] = self._classifier.predict_proba(
            aggregate_columns(examples, self._columns)
        )
        return probabilities[:, 1]


class RfmLogit(_ChurnBaseline):
    """Logistic regression on recency, frequency, money, age and rate over the user's whole life."""

    def __init__(self, horizon: str) -> None:
        super().__init__("rfm_logit", horizon, LIFETIME_COLUMNS, LogisticRegression(solver="newton-cholesky"))


class RfmWindowLogit(_ChurnBaseline):
    """The same with frequency and money of the last 56 days, which is stronger where habits change."""

    def __init__(self, horizon: str) -> None:
        super().__init__("rfm_56d_logit", horizon, WINDOW_COLUMNS, LogisticRegression(solver="newton-cholesky"))


class BoostedChurn(_ChurnBaseline):
    """Gradient boosting (histograms) on all aggregates."""

    def __init__(self, horizon: str, settings: BaselineSettings) -> None:
        trees = BoostedTrees(
            settings.churn_trees, settings.churn_learning_rate, min_samples_leaf=50, seed=settings.seed
        )
        super().__init__("boosted_churn", horizon, tuple(range(AGGREGATE_WIDTH)), trees)
