"""Histogram gradient boosting on one thread."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from interest_migration.evaluation.spaces import Numbers


class BoostedTrees:
    """scikit-learn's `HistGradientBoostingClassifier`, small trees, no early stopping.

    One thread: sums have a fixed order, so the same seed gives the same trees on any number of cores, and threads that
    spin while they wait do not burn the time of a shared machine.
    """

    def __init__(
        self,
        trees: int,
        learning_rate: float,
        min_samples_leaf: int,
        seed: int,
        leaves: int = 15,
        depth: int | None = None,
        columns: float = 1.0,
    ) -> None:
        self._classifier = HistGradientBoostingClassifier(
            max_iter=trees,
            learning_rate=learning_rate,
            max_leaf_nodes=leaves,
            max_depth=depth,
            max_features=columns,
            min_samples_leaf=min_samples_leaf,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=seed,
        )

    def fit(self, features: Numbers, labels: Numbers) -> None:
        """Fits on `[P, F]` features and `[P]` labels of two classes."""
        with threadpool_limits(limits=1, user_api="openmp"):
            self._classifier.fit(features, labels)

    def predict_proba(self, features: Numbers) -> npt.NDArray[np.float64]:
        """Returns `[P, 2]` probabilities of the two classes."""
        with threadpool_limits(limits=1, user_api="openmp"):
            return np.asarray(self._classifier.predict_proba(features), np.float64)

    def nodes(self) -> list[npt.NDArray[Any]]:
        """Returns the nodes of every fitted tree as records, the root first.

        Fields: `is_leaf`, `value` (of a leaf, to be added up), `feature_idx`, `num_threshold` (left if not above),
        `left` and `right` (places of the children). scikit-learn has no public name for them.
        """
        return [tree.nodes for (tree,) in self._classifier._predictors]

    @property
    def base(self) -> float:
        """Score before any tree."""
        return float(self._classifier._baseline_prediction[0, 0])
