import json

import pytest
import tensorflow as tf
from transformed_records import SIZES, SMALL_MODEL, write_transformed

from interest_migration.model.scores import predict_scores
from interest_migration.model.settings import ModelSettings, VocabularySizes
from interest_migration.training.progress import CheckpointFolder
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.train import RECORD_FILE, TrainingData, train
from schemas.features import HORIZONS

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
    assert last["next_category_hit_at_5"] > 0.9
    assert last["churn_short_auc"] > 0.6


def test_the_record_is_written(whole):
    trained, directory, lines = whole
    record = json.loads((directory / RECORD_FILE).read_text())
    assert record == trained.record
    assert record["epochs"] == 3
    assert record["steps"] == 15
    assert record["examples"] == 320
    assert record["examples_per_second"] == pytest.approx(960 / record["wall_seconds"])
    assert record["best_validation"] == record["history"][record["best_epoch"]]["validation"]
    assert [line.split()[1] for line in lines] == ["1/3", "2/3", "3/3"]


def test_tensorboard_gets_losses_and_validation(whole):
    _, directory, _ = whole
    (path,) = (directory / "tensorboard").iterdir()
    tags = {value.tag for event in tf.compat.v1.train.summary_iterator(str(path)) for value in event.summary.value}
    assert {"losses/loss", "losses/churn", "validation/score"} <= tags


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


def test_the_best_weights_are_kept_and_training_stops_early(data, tmp_path):
    # A huge rate after the first epoch ruins the model.
    trained = run(data, tmp_path, epochs=9, patience=1, learning_rate=30.0, warmup_share=0.9)
    record = trained.record
    assert record["epochs"] == record["best_epoch"] + 2 < 9
    scores = predict_scores(trained.model, data.eval_paths)
    assert {f"churn_{horizon}" for horizon in HORIZONS} < set(scores)
    assert scores["propensity_long"].shape == (100, SIZES["categories"])
    assert scores["next_item"].shape == (100, SIZES["items"])


@pytest.mark.parametrize(
    "options",
    [
        {"jit_compile": True, "max_events": 10, "max_interests": 8, "max_labels": 3},
        {"precision": "mixed_bfloat16"},
        {"strategy": "one_device", "memory_megabytes": 0},
    ],
    ids=["jit", "bfloat16", "one_device"],
)
def test_variants_train(data, tmp_path, options):
    record = run(data, tmp_path, epochs=1, **options).record
    assert record["history"][0]["losses"]["loss"] > 0
    assert record["best_validation"]["next_category_hit_at_5"] > 0.5
