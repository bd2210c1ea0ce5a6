from types import SimpleNamespace

import pytest

from interest_migration.errors import ConfigError
from interest_migration.training.epochs import EpochLoop
from interest_migration.training.progress import Progress
from interest_migration.training.settings import TrainingSettings


class Folder:
    """Keeps the progress in memory."""

    def __init__(self):
        self.saved = Progress(fingerprint="a")

    def restore(self, model):
        return self.saved

    def save(self, model, progress):
        self.saved = progress


def make_loop(directory, scores, losses=None, warm=False, **options):
    """A loop whose validation returns the scores one after the other; also the seeds that it asked batches for."""
    seeds, lines = [], []
    remaining, losses = iter(scores), iter(losses or [1.0] * len(scores))
    source = SimpleNamespace(count=8, steps=lambda: 2, batches=lambda epoch_seed: seeds.append(epoch_seed))
    model = SimpleNamespace(fit=lambda *_, **__: SimpleNamespace(history={"loss": [next(losses)]}))
    validation = SimpleNamespace(run=lambda: {"score": next(remaining)})
    settings = TrainingSettings(seed=3, **options)
    loop = EpochLoop(model, source, validation, settings, Folder(), directory, lines.append, warm=warm)
    return loop, seeds, lines


def test_stops_when_epochs_are_spent(tmp_path):
    loop, seeds, lines = make_loop(tmp_path, [0.1, 0.2], epochs=2)
    progress = loop.run()
    assert [epoch.validation["score"] for epoch in progress.epochs] == [0.1, 0.2]
    assert len(set(seeds)) == 2
    assert lines[1].startswith("epoch 2/2 loss 1.0000 validation 0.2000")


def test_stops_when_the_score_no_longer_rises(tmp_path):
    loop, _, _ = make_loop(tmp_path, [0.1, 0.5, 0.4, 0.5, 0.9], epochs=9, patience=2)
    progress = loop.run()
    assert len(progress.epochs) == 4
    assert progress.best_epoch == 1


def test_continues_after_the_last_finished_epoch(tmp_path):
    loop, seeds, _ = make_loop(tmp_path, [0.1, 0.2, 0.3], epochs=3)
    loop.run()
    again, seeds_again, _ = make_loop(tmp_path, [0.2, 0.3], epochs=3)
    again.folder.saved = Progress(fingerprint="a").with_epoch(loop.folder.saved.epochs[0], 0.1)
    progress = again.run()
    assert seeds_again == seeds[1:]
    assert progress.best_epoch == 2


@pytest.mark.parametrize(("scores", "losses"), [([0.5], [float("nan")]), ([float("nan")], [1.0])])
def test_a_diverging_training_says_so(tmp_path, scores, losses):
    loop, _, _ = make_loop(tmp_path, scores, losses)
    with pytest.raises(ConfigError, match=r"expected a finite loss, received .* in epoch 1: lower learning_rate"):
        loop.run()


def test_the_weights_of_a_warm_start_are_kept_unless_training_improves_them(tmp_path):
    loop, _, lines = make_loop(tmp_path, [0.5, 0.3, 0.4, 0.9], epochs=3, patience=2, warm=True)
    progress = loop.run()
    assert lines[0] == "warm start, validation 0.5000"
    assert (progress.best_epoch, len(progress.epochs), progress.start) == (-1, 2, {"score": 0.5})
    better, _, _ = make_loop(tmp_path, [0.5, 0.6], epochs=1, warm=True)
    assert better.run().best_epoch == 0


def test_a_warm_start_is_scored_once(tmp_path):
    loop, _, _ = make_loop(tmp_path, [0.6], epochs=1, warm=True)
    loop.folder.saved = Progress(fingerprint="a", start={"score": 0.5}, best_score=0.5)
    assert loop.run().best_epoch == 0
