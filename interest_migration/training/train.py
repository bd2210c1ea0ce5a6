"""Trains the model."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from interest_migration.model.interest_model import InterestModel
from interest_migration.model.settings import ModelSettings, VocabularySizes
from interest_migration.training.epochs import EpochLoop
from interest_migration.training.input import ExampleSource
from interest_migration.training.optimizer import make_optimizer
from interest_migration.training.priors import initialise
from interest_migration.training.progress import CheckpointFolder, Progress, as_record
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.strategy import is_chief, make_strategy, numerics, worker_directory
from interest_migration.training.validation import Validation

RECORD_FILE = "training.json"


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and how it came about.

    Attributes:
      model: With the weights of the best epoch.
      record: What `training.json` holds.
      chief: Whether this process is the one to export; among several workers, one is.
    """

    model: InterestModel
    record: dict[str, Any]
    chief: bool


@dataclass(frozen=True)
class TrainingData:
    """Files of transformed examples, and what is to be known of them.

    Attributes:
      train_paths: Gzip TFRecord files.
      eval_paths: Gzip TFRecord files of the split that early stopping looks at.
      sizes: Vocabulary sizes.
      new_interest_days: A category touched more recently than this is no new interest.
    """

    train_paths: Sequence[str]
    eval_paths: Sequence[str]
    sizes: VocabularySizes
    new_interest_days: float


def train(
    data: TrainingData,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    run_directory: Path,
    report: Callable[[str], None] = print,
) -> TrainedModel:
    """Trains until the epochs are spent or validation stops improving; continues a killed training of the same input.

    Args:
      data: Examples.
      model_settings: Size of the model.
      settings: How to train.
      run_directory: Where TensorBoard logs and `training.json` go (of further workers, to a folder in it).
      report: Receives one line per epoch.

    Returns:
      The model with its best weights.

    Raises:
      DataError: If a split has no example.
      ConfigError: If training diverges.
    """
    with numerics(settings):
        source, held_out = ExampleSource(data.train_paths, settings), ExampleSource(data.eval_paths, settings)
        strategy = make_strategy(settings)
        with strategy.scope():
            model = _make_model(data, model_settings, settings, source)
        initialise(model, source.batches())
        worker = worker_directory(strategy, run_directory)
        folder = CheckpointFolder(
            worker_directory(strategy, _checkpoints(settings, run_directory)),
            _fingerprint(data, model_settings, settings),
        )
        validation = Validation(model, held_out.batches())
        progress = EpochLoop(model, source, validation, settings, folder, worker / "tensorboard", report).run()
        folder.load_best(model, progress)
        record = _record(progress, source, model, settings)
        worker.mkdir(parents=True, exist_ok=True)
        (worker / RECORD_FILE).write_text(json.dumps(record, indent=2), encoding="utf-8")
        folder.remove()
    return TrainedModel(model, record, is_chief(strategy))


def _make_model(
    data: TrainingData, model_settings: ModelSettings, settings: TrainingSettings, source: ExampleSource
) -> InterestModel:
    model = InterestModel(
        model_settings.model_dump(),
        data.sizes.model_dump(),
        data.new_interest_days,
        static_shapes=settings.static_shapes,
    )
    model(next(iter(source.batches(batch_size=2))))
    optimizer = make_optimizer(settings, source.steps() * settings.epochs)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer=optimizer, jit_compile=settings.jit_compile)
    return model


def _checkpoints(settings: TrainingSettings, run_directory: Path) -> Path:
    return Path(settings.checkpoint_directory) if settings.checkpoint_directory else run_directory / "checkpoints"


def _fingerprint(data: TrainingData, model_settings: ModelSettings, settings: TrainingSettings) -> str:
    """Names what a state belongs to: settings, and number and size of the files (their paths change between runs)."""
    files = [[tf.io.gfile.stat(path).length for path in sorted(paths)] for paths in (data.train_paths, data.eval_paths)]
    parts = [model_settings.model_dump_json(), settings.model_dump_json(), data.sizes.model_dump_json(), files]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _record(
    progress: Progress, source: ExampleSource, model: InterestModel, settings: TrainingSettings
) -> dict[str, Any]:
    wall = sum(epoch.wall_seconds for epoch in progress.epochs)
    return {
        "wall_seconds": wall,
        "cpu_seconds": sum(epoch.cpu_seconds for epoch in progress.epochs),
        "examples_per_second": source.count * len(progress.epochs) / wall,
        "examples": source.count,
        "steps": source.steps() * len(progress.epochs),
        "epochs": len(progress.epochs),
        "best_epoch": progress.best_epoch,
        "best_validation": progress.epochs[progress.best_epoch].validation,
        "parameters": int(model.count_params()),
        "settings": settings.model_dump(),
        "history": as_record(progress),
    }
