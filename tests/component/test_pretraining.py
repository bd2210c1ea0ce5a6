"""Pretraining, then training with few labels, on users with several cuts: no label is read, kills do no harm."""

from types import SimpleNamespace

import numpy as np
import pytest
from shopping_users import write_users
from transformed_records import SIZES, SMALL_MODEL

from interest_migration.model.settings import ModelSettings, VocabularySizes
from interest_migration.model.variables import trained_variables
from interest_migration.pretraining.settings import PretrainingSettings
from interest_migration.training.progress import CheckpointFolder
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.train import TrainingData, train

ON = PretrainingSettings(epochs=1)
HORIZONS = {"short": 10.0, "long": 20.0}


def data_of(directory, label_seed=0):
    return TrainingData(
        [write_users(directory / "train.gz", 64, 1, label_seed=label_seed)],
        [write_users(directory / "eval.gz", 20, 2, label_seed=label_seed)],
        VocabularySizes(**SIZES),
        5.0,
        label_days=HORIZONS,
    )


def run(data, directory, **options):
    lines = []
    settings = TrainingSettings(**{"epochs": 1, "batch_size": 32, "label_share": 0.4} | options)
    trained = train(
        data,
        ModelSettings(**SMALL_MODEL, item_graphs=(), category_graphs=()),
        settings,
        directory,
        lines.append,
        pretraining=ON,
    )
    return SimpleNamespace(trained=trained, record=trained.record, lines=lines, directory=directory)


def first_words(done):
    return [line.split(",")[0].split(" loss")[0] for line in done.lines]


def final_weights(done):
    return {name: variable.numpy() for name, variable in trained_variables(done.trained.model).items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    directory = tmp_path_factory.mktemp("whole")
    return run(data_of(directory), directory / "run")


def test_it_is_recorded_and_leaves_no_state(whole):
    assert first_words(whole) == ["pretraining epoch 1/1", "pretrained", "epoch 1/1"]
    (epoch,) = whole.record["pretraining"]["history"]
    assert {"sequence", "later", "masked", "contrast", "loss"} <= set(epoch["losses"])
    assert all(np.isfinite(value) and value > 0 for value in epoch["losses"].values())
    assert whole.record["pretraining"]["examples"] == 192
    assert 0 < whole.record["examples"] < 192
    assert not list((whole.directory / "checkpoints").iterdir())


def test_other_labels_and_a_kill_give_the_same_pretrained_weights(whole, tmp_path, monkeypatch):
    """Every label differs from those of `whole`, and the process dies after the last epoch of pretraining."""
    data, state = data_of(tmp_path, label_seed=1), str(tmp_path / "state")
    save = CheckpointFolder.save

    def save_and_die(self, model, progress):
        save(self, model, progress)
        if model.name == "pretraining":
            raise KeyboardInterrupt

    monkeypatch.setattr(CheckpointFolder, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path / "killed", checkpoint_directory=state)
    monkeypatch.undo()
    continued = run(data, tmp_path / "continued", checkpoint_directory=state)
    assert first_words(continued) == ["pretrained", "epoch 1/1"]
    for name, weight in whole.trained.pretrained.weights.items():
        np.testing.assert_array_equal(weight, continued.trained.pretrained.weights[name], err_msg=name)
    after = final_weights(continued)
    assert any((weight != after[name]).any() for name, weight in final_weights(whole).items())
