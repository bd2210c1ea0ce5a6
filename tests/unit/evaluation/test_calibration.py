import math

import numpy as np
import pytest
from sklearn import metrics

from interest_migration.evaluation.bootstrap import Resamples
from interest_migration.evaluation.calibration import (
    brier_score,
    calibration_error_draws,
    expected_calibration_error,
    log_loss,
    reliability_curve,
)

PROBABILITIES = np.array([0.1, 0.3, 0.8, 1.0])
POSITIVES = np.array([False, True, True, True])


def test_brier_score_by_hand():
    assert brier_score(PROBABILITIES, POSITIVES) == pytest.approx((0.01 + 0.49 + 0.04 + 0) / 4)


def test_log_loss_by_hand_and_bounded_when_certain_and_wrong():
    assert log_loss(np.array([0.5, 0.25]), np.array([True, False])) == pytest.approx(
        -(math.log(0.5) + math.log(0.75)) / 2
    )
    assert log_loss(np.array([0.0]), np.array([True])) == pytest.approx(7 * math.log(10))


def test_calibration_error_by_hand():
    # bin [0, 0.5): predicted 0.4 of 2, observed 1; bin [0.5, 1]: predicted 1.8 of 2, observed 2
    assert expected_calibration_error(PROBABILITIES, POSITIVES, bins=2) == pytest.approx((0.6 + 0.2) / 4)


def test_calibration_error_follows_the_weights():
    resamples = Resamples(np.array([0, 0, 1, 1]), np.array([[1, 2, 0], [1, 0, 2]], np.float32))
    draws = calibration_error_draws(PROBABILITIES, POSITIVES, 2, resamples)
    assert draws.tolist() == pytest.approx([0.2, 0.3, 0.1])


def test_reliability_curve_by_hand():
    low, empty, high = reliability_curve(np.array([0.2, 0.3, 1.0]), np.array([False, True, True]), bins=3)
    assert (low.low, low.high, low.examples, low.predicted, low.observed) == pytest.approx((0, 1 / 3, 2, 0.25, 0.5))
    assert empty.examples == 0
    assert math.isnan(empty.predicted)
    assert (high.examples, high.predicted, high.observed) == (1, 1.0, 1.0)


def test_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    probabilities, positives = rng.random(50), rng.random(50) < 0.3
    assert brier_score(probabilities, positives) == pytest.approx(metrics.brier_score_loss(positives, probabilities))
    assert log_loss(probabilities, positives) == pytest.approx(metrics.log_loss(positives, probabilities))


@pytest.mark.parametrize("metric", [brier_score, log_loss, expected_calibration_error])
def test_undefined_without_examples(metric):
    assert math.isnan(metric(np.array([]), np.array([], bool)))
