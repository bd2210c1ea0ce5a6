from types import SimpleNamespace

import numpy as np
import pytest

from interest_migration.label_curve import curve
from interest_migration.label_curve.curve import CurveSettings, trace_curve
from interest_migration.model.settings import ModelSettings
from interest_migration.pretraining.pretrain import Pretrained
from interest_migration.pretraining.settings import PretrainingSettings
from interest_migration.training.settings import TrainingSettings

SCORES = {False: 0.6, True: 0.7}


class Scorer:
    """Scores a model by whether it was pretrained."""

    examples, users = 30, 20

    def __call__(self, model):
        return {"churn_short": np.array([SCORES[model]] * 3)}


@pytest.fixture
def trainings(monkeypatch):
    """The trainings that were asked for: share, seed, whether pretrained, and with which weights at hand."""
    asked = []

    def train(data, model, options, place, report, pretraining=None, pretrained=None):
        asked.append((options.label_share, options.seed, bool(pretraining), pretrained))
        left = (pretrained or Pretrained({}, {"wall_seconds": 5.0 + options.seed})) if pretraining else None
        return SimpleNamespace(model=bool(pretraining), pretrained=left)

    monkeypatch.setattr(curve, "train", train)
    monkeypatch.setattr(curve, "read_users", lambda paths: np.array([b"a", b"b", b"c"] * 100, object))
    return asked


def trace(directory, lines, budget_seconds=None):
    settings = CurveSettings([1.0, 0.5], 2, budget_seconds, 0.95)
    data = SimpleNamespace(train_paths=["file"])
    training, pretraining = TrainingSettings(seed=3, warm_start=True), PretrainingSettings(epochs=1)
    return trace_curve(data, ModelSettings(), training, pretraining, Scorer(), settings, directory, lines.append)


def test_each_seed_is_pretrained_once_and_small_shares_come_first(trainings, tmp_path):
    lines = []
    found = trace(tmp_path, lines)
    assert [asked[:3] for asked in trainings] == [
        (share, seed, pretrained) for share in (0.5, 1.0) for seed in (3, 4) for pretrained in (False, True)
    ]
    at_hand = [asked[3] for asked in trainings if asked[2]]
    assert at_hand[:2] == [None, None]
    assert [weights.record["wall_seconds"] for weights in at_hand[2:]] == [8.0, 9.0]
    assert found.pretraining_seconds == (8.0, 9.0)
    assert [(point.share, point.seeds) for point in found.points] == [(0.5, 2), (1.0, 2)]
    assert found.points[0].difference == pytest.approx(0.1)
    assert len(lines) == 4
    assert "churn_short 0.600>0.700" in lines[0]


def test_no_training_begins_after_the_budget(trainings, tmp_path, monkeypatch):
    clock = iter([0.0, 1.0, 2.0, 99.0, 99.0, 99.0])  # start, first training, its report, then too late
    monkeypatch.setattr(curve, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    found = trace(tmp_path, [], budget_seconds=10)
    assert len(trainings) == 2
    assert found.left_out == ("share 0.5, seed 4", "share 1, seed 3", "share 1, seed 4")
