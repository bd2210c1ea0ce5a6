"""Gradient boosting on (user, category) pairs: will this user touch this category within the horizon?"""

import numpy as np
import numpy.typing as npt

from interest_migration.baselines.baseline import observed_rows
from interest_migration.baselines.boosting import BoostedTrees
from interest_migration.baselines.pair_features import CoInterest, Matrix, PairFeatures
from interest_migration.baselines.settings import BaselineSettings
from interest_migration.errors import DataError
from interest_migration.evaluation.spaces import IdSpaces, known_ids, membership, ragged_column
from interest_migration.evaluation.tasks import NEW_INTEREST_TASK, PROPENSITY_TASK
from interest_migration.ragged import Examples
from schemas.features import FUTURE_CATEGORIES, NEW_CATEGORIES, label_name

_SCORED_PAIRS = 100_000


class BoostedPropensity:
    """Boosted trees on counts, recency, decayed counts, co-interest, popularity and the user's activity.

    Positives and negatives are sampled, so scores rank but are no probabilities.
    """

    name = "boosted_propensity"

    def __init__(self, horizon: str, spaces: IdSpaces, settings: BaselineSettings) -> None:
        self.tasks = (PROPENSITY_TASK[horizon], NEW_INTEREST_TASK[horizon])
        self._horizon = horizon
        self._size = spaces.categories
        self._settings = settings
        self._co_interest: CoInterest
        self._popularity: tuple[Matrix, ...]
        self._trees = BoostedTrees(
            settings.pair_trees, settings.pair_learning_rate, min_samples_leaf=100, seed=settings.seed
        )

    def fit(self, train: Examples) -> None:
        """Samples pairs and fits the trees."""
        rows = observed_rows(train, self._horizon)
        positives = self._labels(train, FUTURE_CATEGORIES[self._horizon])[rows]
        new = self._labels(train, NEW_CATEGORIES[self._horizon])[rows]
        if positives.all() or not positives.any():
            kind = "touched" if positives.all() else "untouched"
            raise DataError(f"expected pairs touched and not in the {self._horizon} horizon, received only {kind} ones")
        self._popularity = (positives.mean(axis=0, dtype=np.float32), new.mean(axis=0, dtype=np.float32))
        self._co_interest = CoInterest.count(train, self._size)
        features = PairFeatures.build(train, self._co_interest, self._popularity)
        chosen = self._sample(positives)
        row, category = np.divmod(chosen, self._size)
        self._trees.fit(features.take(rows[row] * self._size + category), positives.ravel()[chosen])

    def score(self, examples: Examples) -> npt.NDArray[np.float32]:
        """Returns `[N, C]` in [0, 1]."""
        features = PairFeatures.build(examples, self._co_interest, self._popularity)
        scores = np.empty(features.by_pair[0].size, np.float32)
        for start in range(0, len(scores), _SCORED_PAIRS):
            pairs = np.arange(start, min(start + _SCORED_PAIRS, len(scores)))
            scores[pairs] = self._trees.predict_proba(features.take(pairs))[:, 1]
        return scores.reshape(-1, self._size)

    def _labels(self, train: Examples, name: str) -> npt.NDArray[np.bool_]:
        return membership(known_ids(ragged_column(train, label_name(name)), self._size), self._size)

    def _sample(self, positives: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Returns flat indices of positive pairs and of the negatives drawn for them."""
        generator = np.random.default_rng(self._settings.seed)
        flat = positives.ravel()
        touched, untouched = np.flatnonzero(flat), np.flatnonzero(~flat)
        count = min(len(touched), self._settings.positive_pairs)
        negatives = min(len(untouched), max(1, round(count * self._settings.negatives_per_positive)))
        drawn = (generator.choice(touched, count, replace=False), generator.choice(untouched, negatives, replace=False))
        return np.concatenate(drawn)
