import math
from typing import Any

import numpy as np
from reports import make_evaluation, make_measures

from interest_migration.evaluation.discrimination import auroc
from interest_migration.report.confusion import Confusion
from interest_migration.report.ui_metrics import list_roc, list_scalars, to_matrix


def measures_of(labels: list[float], scores: list[float]) -> Any:
    measures = make_measures()
    columns = {"churn_short/label": labels, "churn_short/model/score": scores}
    values = {name: np.asarray(column, np.float32) for name, column in columns.items()}
    return type(measures)(np.arange(len(labels)), np.zeros(len(labels), np.int64), {}, values)


def test_a_curve_by_hand() -> None:
    points = list_roc(measures_of([1, 0, 1, 0, math.nan], [0.9, 0.7, 0.6, 0.2, 0.95]), "churn_short")
    told = [(round(p["confidenceThreshold"], 3), p["recall"], p["falsePositiveRate"]) for p in points]
    assert told == [(0.9, 0.5, 0.0), (0.7, 0.5, 0.5), (0.6, 1.0, 0.5), (0.2, 1.0, 1.0)]


def test_the_area_under_the_points_is_that_of_the_scores() -> None:
    rng = np.random.default_rng(1)
    labels = rng.random(3000) < 0.3
    scores = rng.normal(labels.astype(float))
    points = list_roc(measures_of(list(labels.astype(float)), list(scores)), "churn_short")
    x, y = ([0.0, *(point[name] for point in points)] for name in ("falsePositiveRate", "recall"))
    assert abs(np.trapezoid(y, x) - auroc(scores, labels)) < 0.005
    assert len(points) <= 101


def test_without_both_classes_there_is_no_curve() -> None:
    assert list_roc(measures_of([1, 1], [0.1, 0.2]), "churn_short") == []
    assert list_roc(measures_of([1, 0], [0.1, 0.2]), "churn_long") == []


def test_scalars_are_finite_and_name_task_and_metric() -> None:
    scalars = list_scalars(make_evaluation())
    assert scalars
    assert all(math.isfinite(value) for value in scalars.values())
    assert all(name.startswith(("churn_", "propensity_", "new_interest_", "next_")) for name in scalars)


def test_hidden_cells_are_zero() -> None:
    matrix = to_matrix(Confusion(("a", "other"), ((3, None), (0, 5))))
    assert matrix == {
        "annotationSpecs": [{"displayName": "a"}, {"displayName": "other"}],
        "rows": [{"row": [3.0, 0.0]}, {"row": [0.0, 5.0]}],
    }
