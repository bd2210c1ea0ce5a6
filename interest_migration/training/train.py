"""Trains the model."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import tensorflow as tf

from interest_migration.language.text_vectors import TextVectors
from interest_migration.model.interest_model import InterestModel
from interest_migration.model.manifest import Provenance
from interest_migration.model.settings import ModelSettings, VocabularySizes
from interest_migration.training.base import Base, ColdStart
from interest_migration.training.calibrate import calibrate, hold_out
from interest_migration.training.epochs import EpochLoop
from interest_migration.training.followers import fill_graphs
from interest_migration.training.input import ExampleSource
from interest_migration.training.optimizer import make_optimizer
from interest_migration.training.priors import initialise
from interest_migration.training.progress import CheckpointFolder, Progress, as_record
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.strategy import is_chief, make_strategy, numerics, worker_directory
from interest_migration.training.validation import Validation
from interest_migration.training.warm_start import Start, start_from
from schemas.features import CUT_TIME

RECORD_FILE = "training.json"
COLD = ColdStart("training.warm_start is off")
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and how it came about.

    Attributes:
      model: With the weights of the best epoch.
      record: What `training.json` holds.
      chief: Whether this process is the one to export; among several workers, one is.
      provenance: Where it comes from, for its export.
    """

    model: InterestModel
    record: dict[str, Any]
    chief: bool
    provenance: Provenance


@dataclass(frozen=True)
class TrainingData:
    """Files of transformed examples, and what is to be known of them.

    Attributes:
      train_paths: Gzip TFRecord files.
      eval_paths: Gzip TFRecord files of the split that early stopping looks at.
      sizes: Vocabulary sizes.
      new_interest_days: A category touched more recently than this is no new interest.
      vocabularies: Vocabulary name -> its values in the order of their ids; a warm start needs them.
      label_days: Horizon -> how many days its labels look ahead.
      step_days: How far labels look ahead if no horizon is observed.
      provenance: What is known of the origin of the examples.
      texts: Vectors of texts by id, if a language model reads them.
    """

    train_paths: Sequence[str]
    eval_paths: Sequence[str]
    sizes: VocabularySizes
    new_interest_days: float
    vocabularies: Mapping[str, pa.Array] = field(default_factory=dict)
    label_days: Mapping[str, float] = field(default_factory=dict)
    step_days: float = 0.0
    provenance: Provenance = field(default_factory=Provenance)
    texts: TextVectors | None = None


def train(
    data: TrainingData,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    run_directory: Path,
    report: Callable[[str], None] = print,
    base: Base | ColdStart = COLD,
) -> TrainedModel:
    """Trains until the epochs are spent or validation stops improving; continues a killed training of the same input.

    Args:
      data: Examples.
      model_settings: Size of the model.
      settings: How to train.
      run_directory: Where TensorBoard logs and `training.json` go (of further workers, to a folder in it).
      report: Receives one line per epoch, and with `warm_start` one on how training started.
      base: The model to start from, if any.

    Returns:
      The model with its best weights.

    Raises:
      DataError: If a split has no example.
      ConfigError: If training diverges.
    """
    with numerics(settings):
        unfitted = hold_out(data.train_paths, settings)
        source = ExampleSource(data.train_paths, settings, unfitted.fitted)
        held_out = ExampleSource(data.eval_paths, settings)
        strategy = make_strategy(settings)
        with strategy.scope():
            model = _make_model(data, model_settings, settings, source)
        provenance = _provenance(data, model, initialise(model, source.batches()), base.name)
        fill_graphs(model, data.train_paths, settings.memory_megabytes)
        start = start_from(model, base, data.vocabularies, provenance, _first_cut(held_out))
        if settings.warm_start:
            report(start.describe())
        settings = settings.when_warm() if start.warm else settings
        with strategy.scope():
            _compile(model, settings, source.steps() * settings.epochs)
        worker = worker_directory(strategy, run_directory)
        folder = CheckpointFolder(
            worker_directory(strategy, _checkpoints(settings, run_directory)),
            _fingerprint(data, model_settings, settings, start),
        )
        validation = Validation(model, held_out.batches(most=settings.validation_examples), settings.score)
        loop = EpochLoop(model, source, validation, settings, folder, worker / "tensorboard", report, warm=start.warm)
        progress = loop.run()
        folder.load_best(model, progress)
        record = _record(progress, source, model, settings) | {
            "start": start.record() | {"validation": progress.start},
            "calibration": calibrate(model, unfitted, settings),
        }
        worker.mkdir(parents=True, exist_ok=True)
        (worker / RECORD_FILE).write_text(json.dumps(record, indent=2), encoding="utf-8")
        folder.remove()
    return TrainedModel(model, record, is_chief(strategy), provenance)


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
    if data.texts:
        model.trajectory.events.assign_texts(data.texts.items, data.texts.texts)
    return model


def _compile(model: InterestModel, settings: TrainingSettings, steps: int) -> None:
    optimizer = make_optimizer(settings, steps)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer=optimizer, jit_compile=settings.jit_compile)


def _provenance(data: TrainingData, model: InterestModel, observed: Sequence[str], base: str) -> Provenance:
    days = max((data.label_days.get(horizon, 0.0) for horizon in observed), default=data.step_days)
    labels_end_s = int(model.newest_cut.numpy() + days * _DAY_SECONDS)
    return data.provenance.model_copy(update={"labels_end_s": labels_end_s, "base": base})


def _first_cut(examples: ExampleSource) -> int:
    return min(int(tf.reduce_min(batch[CUT_TIME])) for batch in examples.batches())


def _checkpoints(settings: TrainingSettings, run_directory: Path) -> Path:
    return Path(settings.checkpoint_directory) if settings.checkpoint_directory else run_directory / "checkpoints"


def _fingerprint(data: TrainingData, model_settings: ModelSettings, settings: TrainingSettings, start: Start) -> str:
    """Names what a state belongs to: settings, and number and size of the files (their paths change between runs)."""
    files = [[tf.io.gfile.stat(path).length for path in sorted(paths)] for paths in (data.train_paths, data.eval_paths)]
    values = (model_settings, settings, data.sizes)
    parts = [*(value.model_dump_json() for value in values), files, start.base, data.provenance.language]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _record(
    progress: Progress, source: ExampleSource, model: InterestModel, settings: TrainingSettings
) -> dict[str, Any]:
    wall = sum(epoch.wall_seconds for epoch in progress.epochs)
    best = progress.epochs[progress.best_epoch].validation if progress.best_epoch >= 0 else progress.start
    return {
        "wall_seconds": wall,
        "cpu_seconds": sum(epoch.cpu_seconds for epoch in progress.epochs),
        "fit_cpu_seconds": sum(epoch.fit_cpu_seconds for epoch in progress.epochs),
        "examples_per_second": source.count * len(progress.epochs) / wall if progress.epochs else 0.0,
        "examples": source.count,
        "steps": source.steps() * len(progress.epochs),
        "epochs": len(progress.epochs),
        "best_epoch": progress.best_epoch,
        "best_validation": best,
        "parameters": int(model.count_params()),
        "settings": settings.model_dump(),
        "history": as_record(progress),
    }
