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
from interest_migration.pretraining.pretrain import Pretrained, pretrain
from interest_migration.pretraining.settings import PretrainingSettings
from interest_migration.settings import Settings
from interest_migration.training.base import Base, ColdStart
from interest_migration.training.calibrate import calibrate
from interest_migration.training.churn_trees import fit_churn_trees
from interest_migration.training.epochs import EpochLoop
from interest_migration.training.input import ExampleSource
from interest_migration.training.optimizer import make_optimizer
from interest_migration.training.progress import CheckpointFolder, Progress, as_record
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.sources import read_sources
from interest_migration.training.strategy import is_chief, make_strategy, numerics, worker_directory
from interest_migration.training.validation import Validation
from interest_migration.training.warm_start import start_from
from schemas.features import CUT_TIME

RECORD_FILE = "training.json"
COLD = ColdStart("training.warm_start is off")
NO_PRETRAINING = PretrainingSettings()
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and how it came about.

    Attributes:
      model: With the weights of the best epoch.
      record: What `training.json` holds.
      chief: Whether this process is the one to export; among several workers, one is.
      provenance: Where it comes from, for its export.
      pretrained: What pretraining left, if there was any.
    """

    model: InterestModel
    record: dict[str, Any]
    chief: bool
    provenance: Provenance
    pretrained: Pretrained | None = None


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
      interest_actions: Ids of the actions that touch a category; empty means all. Pretraining reads them.
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
    interest_actions: Sequence[int] = ()


def train(
    data: TrainingData,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    run_directory: Path,
    report: Callable[[str], None] = print,
    base: Base | ColdStart = COLD,
    pretraining: PretrainingSettings = NO_PRETRAINING,
    pretrained: Pretrained | None = None,
) -> TrainedModel:
    """Trains until the epochs are spent or validation stops improving; continues a killed training of the same input.

    Args:
      data: Examples.
      model_settings: Size of the model.
      settings: How to train.
      run_directory: Where TensorBoard logs and `training.json` go (of further workers, to a folder in it).
      report: Receives one line per epoch, and with `warm_start` one on how training started.
      base: The model to start from, if any; it replaces pretraining.
      pretraining: How to pretrain, if at all.
      pretrained: What pretraining on the same data, with the same model and settings, has left; spares another one.

    Returns:
      The model with its best weights.

    Raises:
      DataError: If a split has no example.
      ConfigError: If training diverges.
    """
    with numerics(settings):
        sources = read_sources(data, settings, pretraining)
        source, held_out = sources.train, sources.held_out
        strategy = make_strategy(settings)
        with strategy.scope():
            model = _make_model(data, model_settings, settings, source)
        provenance = _provenance(data, model, sources.count_into(model), base.name)
        start = start_from(model, base, data.vocabularies, provenance, _first_cut(held_out))
        if settings.warm_start:
            report(start.describe())
        pretrains = pretraining.epochs > 0 and not start.warm
        before = None
        if pretrains:
            parts = (data, model_settings, settings, pretraining)
            before = _folder(strategy, settings, run_directory, _fingerprint(*parts))
            logs = worker_directory(strategy, run_directory) / "tensorboard" / "pretraining"
            pretrained = pretrained or pretrain(model, sources, pretraining, settings, strategy, before, logs, report)
            sources.count_into(model)  # what is counted, not learned, comes from labels too
            pretrained.give_to(model)
        settings = settings.when_warm() if start.warm else settings
        with strategy.scope():
            _compile(model, settings, source.steps() * settings.epochs)
        worker = worker_directory(strategy, run_directory)
        state = (data, model_settings, settings, pretraining, start.base, pretrains)
        folder = _folder(strategy, settings, run_directory, _fingerprint(*state))
        validation = Validation(model, held_out.batches(most=settings.validation_examples), settings.score)
        loop = EpochLoop(model, source, validation, settings, folder, worker / "tensorboard", report, warm=start.warm)
        if pretrains:
            loop.warm, loop.start_name = True, "pretrained"
        progress = loop.run()
        folder.load_best(model, progress)
        if sources.unfitted.halves and model_settings.churn_trees:
            model.churn_trees.assign(fit_churn_trees(source, model_settings.churn_trees, settings.seed))
        record = _record(progress, source, model, settings) | {
            "start": start.record() | {"validation": progress.start},
            "pretraining": dict(pretrained.record) if pretrains and pretrained else None,
            "calibration": calibrate(model, sources.unfitted, settings),
        }
        worker.mkdir(parents=True, exist_ok=True)
        (worker / RECORD_FILE).write_text(json.dumps(record, indent=2), encoding="utf-8")
        folder.remove()
        if before:
            before.remove()
    return TrainedModel(model, record, is_chief(strategy), provenance, pretrained if pretrains else None)


def before_training(data: TrainingData, model_settings: ModelSettings, settings: TrainingSettings) -> InterestModel:
    """Returns the model before its first step: what is counted is in it, what is learned has first weights.

    Args:
      data: As of `train`.
      model_settings: As of `train`.
      settings: As of `train`.
    """
    with numerics(settings):
        sources = read_sources(data, settings, NO_PRETRAINING)
        model = _make_model(data, model_settings, settings, sources.train)
        sources.count_into(model)
    return model


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


def _folder(strategy: Any, settings: TrainingSettings, run_directory: Path, fingerprint: str) -> CheckpointFolder:
    return CheckpointFolder(worker_directory(strategy, _checkpoints(settings, run_directory)), fingerprint)


def _fingerprint(data: TrainingData, *parts: Any) -> str:
    """Names what a state belongs to: settings, and number and size of the files (their paths change between runs)."""
    files = [[tf.io.gfile.stat(path).length for path in sorted(paths)] for paths in (data.train_paths, data.eval_paths)]
    values = [part.model_dump(mode="json") if isinstance(part, Settings) else part for part in (*parts, data.sizes)]
    values.append(data.provenance.language)
    return hashlib.sha256(json.dumps([values, files]).encode()).hexdigest()[:16]


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
        "steps": int(model.optimizer.iterations.numpy()),
        "epochs": len(progress.epochs),
        "best_epoch": progress.best_epoch,
        "best_validation": best,
        "parameters": int(model.count_params()),
        "settings": settings.model_dump(mode="json"),
        "history": as_record(progress),
    }
