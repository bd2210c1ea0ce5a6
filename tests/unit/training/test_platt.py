import numpy as np
import pytest

from interest_migration.training.platt import LogitCounts, Scaling, calibration_error, fit, log_loss


def counts(logits, positives, weights=None):
    logits = np.asarray(logits, np.float32)
    return LogitCounts.of(logits, np.asarray(positives, bool), np.ones(len(logits)) if weights is None else weights)


def drawn(slope, bias, size=20_000):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, size)
    return counts(logits, rng.random(size) < 1 / (1 + np.exp(-(slope * logits + bias))))


def test_the_scaling_behind_the_labels_is_found():
    found = fit(drawn(0.6, -0.5))
    assert found == pytest.approx((0.6, -0.5), abs=0.05)


def test_fitting_lowers_loss_and_error():
    shifted = drawn(0.6, -0.5)
    found = fit(shifted)
    assert log_loss(shifted, found) < log_loss(shifted, Scaling())
    assert calibration_error(shifted, found) < 0.015 < 0.05 < calibration_error(shifted, Scaling())


def test_few_examples_change_little():
    assert fit(counts([0.0, 0.0, 1.0], [1, 1, 0])) == pytest.approx((1, 0), abs=0.1)


def test_extreme_logits_stay_finite():
    found = fit(counts([-500.0, 500.0] * 400, [1, 0] * 400))
    assert np.isfinite(found).all()
    assert found.slope > 0


@pytest.mark.parametrize("positives", [[0, 0], [1, 1]])
def test_one_class_changes_nothing(positives):
    assert fit(counts([-1.0, 2.0], positives)) == Scaling(1, 0)


def test_error_by_hand():
    # probability 1/2 in one bin, one positive among four
    assert calibration_error(counts([0.0] * 4, [1, 0, 0, 0]), Scaling()) == pytest.approx(0.25, abs=2e-3)


def test_weights_count():
    left = counts([0.0, 1.0], [0, 1], np.array([2.0, 1.0]))
    right = counts([0.0, 0.0, 1.0], [0, 0, 1])
    np.testing.assert_array_equal(left.negatives, right.negatives)
    assert fit(left) == fit(right)
