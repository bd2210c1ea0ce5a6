import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interest_migration.evaluation.discrimination import auroc, average_precision
from interest_migration.report.curves import Curve, precision_recall_curve, roc_curve, thin

SCORES, POSITIVES = np.array([1.0, 2, 2, 3]), np.array([False, False, True, True])


def test_roc_by_hand() -> None:
    curve = roc_curve(SCORES, POSITIVES)
    assert curve.x.tolist() == [0, 0, 0.5, 1]
    assert curve.y.tolist() == [0, 0.5, 1, 1]


def test_precision_and_recall_by_hand() -> None:
    curve = precision_recall_curve(SCORES, POSITIVES)
    assert curve.x.tolist() == [0.5, 1]
    assert curve.y.tolist() == pytest.approx([1, 2 / 3])


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_areas_are_those_of_the_metrics(examples: list[tuple[int, bool]]) -> None:
    scores, positives = np.array([score for score, _ in examples]), np.array([label for _, label in examples])
    if positives.all() or not positives.any():
        return
    roc, pr = roc_curve(scores, positives), precision_recall_curve(scores, positives)
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(auroc(scores, positives))
    assert np.sum(np.diff(pr.x, prepend=0) * pr.y) == pytest.approx(average_precision(scores, positives))
    assert (np.diff(roc.x) >= 0).all()
    assert (np.diff(roc.y) >= 0).all()
    assert (np.diff(pr.x) > 0).all()


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    rng = np.random.default_rng(0)
    positives = rng.random(20_000) < 0.3
    scores = positives + rng.normal(size=20_000)
    curve = roc_curve(scores, positives, points=100)
    assert 50 < len(curve.x) <= 102
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert (np.diff(curve.x) >= 0).all()
    assert (np.diff(curve.y) >= 0).all()
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(auroc(scores, positives), abs=0.002)


def test_thinning_by_hand() -> None:
    line = Curve(np.arange(10.0), np.zeros(10))
    assert thin(line, 4).x.tolist() == [0, 3, 6, 9]
    assert thin(line, 10) is line
