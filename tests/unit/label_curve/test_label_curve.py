import numpy as np
import pytest

from interest_migration.label_curve.curve import with_enough_steps
from interest_migration.label_curve.results import LabelCurve, Trained, summarise
from interest_migration.report.label_curve_picture import draw_label_curve
from interest_migration.training.settings import TrainingSettings


def pair(share, seed, plain, pretrained, task="churn_short"):
    return Trained(share, seed, 10, {task: np.array(plain)}, {task: np.array(pretrained)})


def test_means_over_seeds_and_their_difference():
    trained = [pair(0.1, 0, [0.5, 0.5, 0.5], [0.7, 0.6, 0.8]), pair(0.1, 1, [0.6, 0.6, 0.6], [0.6, 0.5, 0.7])]
    (point,) = summarise(trained, 0.95, seed=0)
    assert (point.seeds, point.metric, point.share) == (2, "auroc", 0.1)
    assert point.plain == pytest.approx(0.55)
    assert point.pretrained == pytest.approx(0.65)
    assert point.difference == pytest.approx(0.1)
    assert -0.1 <= point.low <= point.high <= 0.3


def test_one_seed_leaves_the_resamples_of_users():
    (point,) = summarise([pair(1.0, 0, [0.5, 0.5, 0.5], [0.7, 0.6, 0.8])], 1 - 1e-9, seed=0)
    assert (point.low, point.high) == (pytest.approx(0.1), pytest.approx(0.3))


def test_without_resamples_there_is_no_interval():
    (point,) = summarise([pair(1.0, 0, [0.5], [0.7])], 0.95, seed=0)
    assert (point.low, point.high) == (None, None)


def test_shares_ascend():
    trained = [pair(share, 0, [0.5], [0.5]) for share in (1.0, 0.1)]
    assert [point.share for point in summarise(trained, 0.95, seed=0)] == [0.1, 1.0]


def test_few_examples_get_smaller_batches_and_more_epochs():
    settings = with_enough_steps(TrainingSettings(batch_size=256, epochs=5, patience=3), 320)
    assert (settings.batch_size, settings.epochs, settings.patience) == (40, 25, 6)
    many = TrainingSettings(batch_size=256, epochs=5, patience=3)
    assert with_enough_steps(many, 100_000) == many


def test_a_handful_of_examples():
    settings = with_enough_steps(TrainingSettings(), 3)
    assert (settings.batch_size, settings.epochs) == (16, 40)


def test_the_page_names_every_task_and_loads_nothing():
    points = summarise([pair(0.1, 0, [0.5], [0.7]), pair(1.0, 0, [0.6], [0.7])], 0.95, seed=0)
    page = draw_label_curve(LabelCurve(points, (), 0.95, 30, 20, (1.0,)))
    assert "30 test examples of 20 users" in page
    assert "Churn" in page or "churn" in page
    assert '<script src="http' not in page
