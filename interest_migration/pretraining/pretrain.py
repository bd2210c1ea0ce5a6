"""Pretraining on trajectories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.errors import ConfigError
from interest_migration.model.variables import trained_variables
from interest_migration.pretraining.model import PretrainingModel
from interest_migration.pretraining.settings import PretrainingSettings
from interest_migration.training.epochs import EpochLoop
from interest_migration.training.optimizer import make_optimizer
from interest_migration.training.progress import CheckpointFolder, as_record
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.validation import SCORE

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel
    from interest_migration.training.sources import Sources


@dataclass(frozen=True)
class Pretrained:
    """What pretraining leaves.

    Attributes:
      weights: Variable name -> values.
      record: Its account, for `training.json`.
    """

    weights: Mapping[str, npt.NDArray[Any]]
    record: Mapping[str, Any] = field(default_factory=dict)

    def give_to(self, model: InterestModel) -> None:
        """Assigns the weights to a model of the same settings and vocabularies."""
        for name, variable in trained_variables(model).items():
            variable.assign(self.weights[name])


def pretrain(
    model: InterestModel,
    sources: Sources,
    settings: PretrainingSettings,
    training: TrainingSettings,
    strategy: Any,
    folder: CheckpointFolder,
    log_directory: Path,
    report: Callable[[str], None],
) -> Pretrained:
    """Trains a model by what trajectories say themselves; continues where a killed pretraining of `folder` ended.

    Args:
      model: A built model. Its biases begin at the base rates of the trajectory labels.
      sources: The examples; of these, trajectories alone.
      settings: How to pretrain.
      training: Batches, seed, decay, clipping.
      strategy: `tf.distribute` strategy.
      folder: Where the state is kept; the caller removes it.
      log_directory: Where TensorBoard logs go.
      report: Receives one line per epoch.

    Raises:
      ConfigError: On a TPU, which needs static shapes; or if pretraining diverges.
    """
    if training.strategy == "tpu":
        raise ConfigError("expected pretraining.epochs 0 with training.strategy tpu, whose shapes must be static")
    loop_settings = training.model_copy(
        update={"epochs": settings.epochs, "learning_rate": settings.learning_rate, "patience": settings.epochs}
    )
    source, held_out = sources.count_trajectories_into(model)
    with strategy.scope():
        wrapped = PretrainingModel(model, settings, name="pretraining")
        optimizer = make_optimizer(loop_settings, source.steps() * settings.epochs)
        optimizer.build(wrapped.trainable_variables)
        wrapped.compile(optimizer=optimizer, jit_compile=False)
    validation = TrajectoryValidation(wrapped, held_out.batches(most=training.validation_examples))
    told = lambda line: report(f"pretraining {line}")  # noqa: E731
    progress = EpochLoop(wrapped, source, validation, loop_settings, folder, log_directory, told).run()
    folder.load_best(wrapped, progress)
    weights = {name: variable.numpy() for name, variable in trained_variables(model).items()}
    record = {
        "settings": settings.model_dump(),
        "examples": source.count,
        "wall_seconds": sum(epoch.wall_seconds for epoch in progress.epochs),
        "best_epoch": progress.best_epoch,
        "history": as_record(progress),
    }
    return Pretrained(weights, record)


class TrajectoryValidation:
    """Scores a model under pretraining on histories of the eval split, without looking at their labels.

    Args:
      model: The model.
      batches: Batches with trajectory labels, in a fixed order.
    """

    def __init__(self, model: PretrainingModel, batches: tf.data.Dataset) -> None:
        self._batches = batches

        def evaluate(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            return model.objectives(batch, model(batch, training=False))

        self._evaluate = tf.function(evaluate, input_signature=[batches.element_spec], autograph=False)
        self._weights = model.options.weights

    def run(self) -> dict[str, float]:
        """Returns the mean objectives, and under `score` 1 / (1 + their weighted sum): from 0 to 1, more is better."""
        batches = [self._evaluate(batch) for batch in self._batches]
        means = {name: float(np.mean([batch[name].numpy() for batch in batches])) for name in batches[0]}
        loss = sum(value * getattr(self._weights, name) for name, value in means.items())
        return means | {SCORE: 1 / (1 + loss)}
