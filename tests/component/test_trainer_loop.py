"""Whole trainings on small transformed examples: the record, the same result for the same seed, resuming."""

import json

import numpy as np
import pytest
import tensorflow as tf
from transformed_records import SIZES, SMALL_MODEL, write_transformed

from interest_migration.model.scores import predict_scores
from interest_migration.model.settings import ModelSettings, VocabularySizes
from interest_migration.training.input import ExampleSource
from interest_migration.training.progress import CheckpointFolder
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.train import RECORD_FILE, TrainingData, train

SETTINGS = {"epochs": 3, "batch_size": 64, "learning_rate": 0.02, "patience": 3}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    directory = tmp_path_factory.mktemp("examples")
    return TrainingData(
        [write_transformed(directory / "train.gz", 320, seed=1, known_share=0.9)],
        [write_transformed(directory / "eval.gz", 100, seed=2)],
        VocabularySizes(**SIZES),
        56.0,
    )


def run(data, directory, report=lambda _: None, **options):
    return train(data, ModelSettings(**SMALL_MODEL), TrainingSettings(**(SETTINGS | options)), directory, report)


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    directory, lines = tmp_path_factory.mktemp("whole"), []
    return run(data, directory, lines.append), directory, lines


def validations(trained):
    return [epoch["validation"] for epoch in trained.record["history"]]


def test_it_learns(whole):
    trained, _, _ = whole
    first, last = validations(trained)[0], validations(trained)[-1]
    assert last["score"] > first["score"]
    assert last["next_category_hit_at_1"] > 0.35  # six categories, so .17 by chance


def test_the_record_is_written(data, whole):
    trained, directory, lines = whole
    source = ExampleSource(data.train_paths, TrainingSettings(**SETTINGS))
    passes = [len(list(source.batches(epoch_seed=number))) for number in range(3)]
    record = json.loads((directory / RECORD_FILE).read_text())
    assert record == trained.record
    assert record["epochs"] == 3
    assert record["steps"] == sum(passes) >= 15
    assert record["examples"] == 320
    assert record["examples_per_second"] == pytest.approx(960 / record["wall_seconds"])
    assert record["best_validation"] == record["history"][record["best_epoch"]]["validation"]
    assert [line.split()[1] for line in lines] == ["1/3", "2/3", "3/3"]


def test_tensorboard_gets_losses_and_validation(whole):
    _, directory, _ = whole
    (path,) = (directory / "tensorboard").iterdir()
    tags = {value.tag for event in tf.compat.v1.train.summary_iterator(str(path)) for value in event.summary.value}
    assert {"losses/loss", "losses/churn", "validation/score"} <= tags


def test_whole_files_are_scored_in_order(data, whole):
    trained, _, _ = whole
    scores = predict_scores(trained.model, data.eval_paths, batch_size=64)
    assert {name: values.shape for name, values in scores.items()} == {
        "next_category": (100, 6),
        "propensity_short": (100, 6),
        "propensity_long": (100, 6),
        "new_interest_short": (100, 6),
        "new_interest_long": (100, 6),
        "churn_short": (100,),
        "churn_long": (100,),
        "next_item": (100, 10),
    }
    assert sorted(scores["next_item"][0]) == list(range(1, 11))
    np.testing.assert_allclose(
        predict_scores(trained.model, data.eval_paths, batch_size=7)["churn_long"], scores["churn_long"], atol=1e-5
    )


def test_state_is_removed_at_the_end(whole):
    _, directory, _ = whole
    assert list((directory / "checkpoints").iterdir()) == []


def test_a_killed_training_continues_to_the_same_result(data, whole, tmp_path, monkeypatch):
    save = CheckpointFolder.save

    def save_and_die(self, model, progress):
        save(self, model, progress)
        if len(progress.epochs) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(CheckpointFolder, "save", save_and_die)
    state = str(tmp_path / "state")
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path / "killed", checkpoint_directory=state)
    monkeypatch.undo()
    lines = []
    continued = run(data, tmp_path / "continued", lines.append, checkpoint_directory=state)
    assert [line.split()[1] for line in lines] == ["3/3"]
    assert validations(continued) == validations(whole[0])
