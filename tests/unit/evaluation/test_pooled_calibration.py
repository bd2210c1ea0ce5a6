import numpy as np
import pytest

from interest_migration.evaluation.bootstrap import Resamples
from interest_migration.evaluation.calibration import calibration_error_draws, pooled_error_draws
from interest_migration.evaluation.measurements import POOLED_METRICS, measure_pooled_probabilities
from interest_migration.evaluation.settings import EvaluationSettings

PROBABILITIES = np.array([[0.1, 0.3], [0.8, 1.0]])
POSITIVES = np.array([[False, True], [True, False]])
SETTINGS = EvaluationSettings(new_interest_days=1, calibration_bins=2)


def test_pairs_are_pooled_by_hand():
    # low bin: predicted 0.4 of 2, observed 1; high bin: predicted 1.8 of 2, observed 1
    measured = measure_pooled_probabilities(PROBABILITIES, POSITIVES, Resamples.none(2), SETTINGS)
    assert measured["expected_calibration_error"].draws[0] == pytest.approx((0.6 + 0.8) / 4)
    assert measured["brier"].draws[0] == pytest.approx((0.01 + 0.49 + 0.04 + 1) / 4)


def test_one_category_agrees_with_the_plain_error():
    rng = np.random.default_rng(0)
    chance, positives = rng.random(50), rng.random(50) < 0.4
    resamples = Resamples.draw(rng.integers(0, 9, 50), 5, seed=1)
    np.testing.assert_allclose(
        pooled_error_draws(chance[:, None], positives[:, None], 4, resamples),
        calibration_error_draws(chance, positives, 4, resamples),
    )


def test_scores_that_are_no_probabilities():
    measured = measure_pooled_probabilities(PROBABILITIES * 9, POSITIVES, Resamples.none(2), SETTINGS)
    assert all(np.isnan(measured[name].draws[0]) and measured[name].note for name in POOLED_METRICS)
