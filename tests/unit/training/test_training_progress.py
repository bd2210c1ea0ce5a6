import keras
import numpy as np
import pytest

from interest_migration.errors import ConfigError
from interest_migration.training.progress import CheckpointFolder, Epoch, Progress
from interest_migration.training.settings import TrainingSettings


def epoch(number):
    return Epoch(epoch=number, losses={"loss": 1.0}, validation={"score": 0.5}, wall_seconds=1.0, cpu_seconds=2.0)


def model():
    made = keras.Sequential([keras.Input([1]), keras.layers.Dense(1), keras.layers.Dropout(0.5)])
    made.compile(optimizer=keras.optimizers.SGD(momentum=0.9), loss="mse")
    return made


def set_weights(made, value):
    made.layers[0].set_weights([np.full([1, 1], value), np.zeros(1)])


def weight(made):
    return float(made.layers[0].get_weights()[0][0, 0])


def test_best_epoch_and_patience():
    progress = Progress(fingerprint="a")
    for number, score in enumerate([0.5, 0.7, 0.6, 0.7]):
        progress = progress.with_epoch(epoch(number), score)
    assert (progress.best_epoch, progress.best_score, progress.epochs_since_best()) == (1, 0.7, 2)
    assert Progress(fingerprint="a").epochs_since_best() == 0


def test_state_survives_and_the_best_is_kept(tmp_path):
    folder, made = CheckpointFolder(tmp_path, "a"), model()
    made.fit(np.ones([4, 1]), np.ones([4, 1]), verbose=0)
    progress = Progress(fingerprint="a")
    for number, score in enumerate([0.7, 0.6, 0.5]):
        set_weights(made, float(number + 1))
        progress = progress.with_epoch(epoch(number), score)
        folder.save(made, progress)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["best-0.npz", "progress.json", "state-2.npz"]

    other = model()
    other.fit(np.ones([4, 1]), np.zeros([4, 1]), verbose=0)
    assert CheckpointFolder(tmp_path, "a").restore(other) == progress
    assert weight(other) == 3
    for left, right in zip(
        made.variables + made.optimizer.variables, other.variables + other.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(left, right)
    folder.load_best(other, progress)
    assert weight(other) == 1


def test_another_fingerprint_starts_anew(tmp_path):
    made = model()
    CheckpointFolder(tmp_path, "a").save(made, Progress(fingerprint="a").with_epoch(epoch(0), 0.5))
    assert CheckpointFolder(tmp_path, "b").restore(made) == Progress(fingerprint="b")


def test_remove(tmp_path):
    folder = CheckpointFolder(tmp_path, "a")
    folder.save(model(), Progress(fingerprint="a").with_epoch(epoch(0), 0.5))
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_compilation_excludes_determinism():
    with pytest.raises(ConfigError, match="jit_compile needs deterministic: false"):
        TrainingSettings.from_values({"jit_compile": True}, source="training")
    assert TrainingSettings(jit_compile=True, deterministic=False).static_shapes
    assert not TrainingSettings().static_shapes


def test_the_start_is_kept_as_the_best(tmp_path):
    folder, made = CheckpointFolder(tmp_path, "a"), model()
    made.fit(np.ones([4, 1]), np.ones([4, 1]), verbose=0)
    set_weights(made, 5.0)
    progress = Progress(fingerprint="a", start={"score": 0.6}, best_score=0.6)
    folder.save(made, progress)
    assert folder.restore(made) == progress
    set_weights(made, 1.0)
    folder.save(made, progress.with_epoch(epoch(0), 0.5))
    other = model()
    other.fit(np.ones([4, 1]), np.zeros([4, 1]), verbose=0)
    restored = folder.restore(other)
    assert (restored.start, restored.best_epoch, weight(other)) == ({"score": 0.6}, -1, 1)
    folder.load_best(other, restored)
    assert weight(other) == 5


def test_a_warm_training_may_be_shorter():
    assert TrainingSettings(epochs=9, warm_epochs=0).when_warm().epochs == 0
    assert TrainingSettings(epochs=9).when_warm().epochs == 9
