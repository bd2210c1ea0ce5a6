"""The loop over epochs: fit, validate, save, log."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import keras
import tensorflow as tf

from interest_migration.errors import ConfigError
from interest_migration.training.input import ExampleSource
from interest_migration.training.progress import CheckpointFolder, Epoch, Progress
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.validation import SCORE

_SCALAR = tf.compat.v1.SummaryMetadata(
    plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"), data_class=1
)
"""Marks a summary as a scalar for TensorBoard, as `tf.summary.scalar` does where TensorBoard itself is installed."""


class Scored(Protocol):
    """What scores a model after every epoch."""

    def run(self) -> dict[str, float]:
        """Returns metric name -> value; `score` is what training is to raise."""


class EpochLoop:
    """Epochs, each with its own order of examples, so that a continued training sees the same batches.

    Args:
      model: A compiled model.
      source: Training examples.
      validation: Scores the model after every epoch.
      settings: How to train.
      folder: Where the state is kept.
      log_directory: Where TensorBoard logs go.
      report: Receives one line per epoch.
      warm: Whether the model has learned already: its weights are then a candidate for the best ones.
      start_name: What the first line of a warm loop calls them.
    """

    def __init__(
        self,
        model: keras.Model,
        source: ExampleSource,
        validation: Scored,
        settings: TrainingSettings,
        folder: CheckpointFolder,
        log_directory: Path,
        report: Callable[[str], None],
        warm: bool = False,
        start_name: str = "warm start",
    ) -> None:
        self.model, self.source, self.validation, self.settings = model, source, validation, settings
        self.folder, self.report, self.warm, self.start_name = folder, report, warm, start_name
        self.writer = tf.summary.create_file_writer(str(log_directory))

    def run(self) -> Progress:
        """Returns the progress when training is over.

        Raises:
          ConfigError: If the loss or the validation score is no longer a number.
        """
        progress = self.folder.restore(self.model)
        if self.warm and progress.start is None:
            progress = self._start(progress)
        while self._goes_on(progress):
            epoch = self._epoch(len(progress.epochs))
            progress = progress.with_epoch(epoch, epoch.validation[SCORE])
            self.folder.save(self.model, progress)
            self._log(epoch)
        self.writer.close()
        return progress

    def _goes_on(self, progress: Progress) -> bool:
        chosen, seconds = self.settings, [epoch.wall_seconds for epoch in progress.epochs]
        in_time = not seconds or sum(seconds) + max(seconds) <= (chosen.budget_seconds or math.inf)
        return in_time and len(seconds) < chosen.epochs and progress.epochs_since_best() < chosen.patience

    def _start(self, progress: Progress) -> Progress:
        metrics = self.validation.run()
        self.report(f"{self.start_name}, validation {metrics[SCORE]:.4f}")
        progress = progress.model_copy(update={"start": metrics, "best_score": metrics[SCORE]})
        self.folder.save(self.model, progress)
        return progress

    def _epoch(self, number: int) -> Epoch:
        wall, cpu = time.monotonic(), time.process_time()
        batches = self.source.batches(epoch_seed=self.settings.seed * 1_000_003 + number)
        history = self.model.fit(batches, epochs=1, verbose=0, shuffle=False).history
        fit_cpu = time.process_time() - cpu
        losses = {name: float(values[-1]) for name, values in history.items()}
        metrics = self.validation.run()
        if not math.isfinite(losses["loss"] + metrics[SCORE]):
            raise ConfigError(
                f"expected a finite loss, received {losses['loss']} in epoch {number + 1}: lower learning_rate "
                f"(now {self.settings.learning_rate}) or clip_norm"
            )
        return Epoch(
            epoch=number,
            losses=losses,
            validation=metrics,
            wall_seconds=time.monotonic() - wall,
            cpu_seconds=time.process_time() - cpu,
            fit_cpu_seconds=fit_cpu,
        )

    def _log(self, epoch: Epoch) -> None:
        step = (epoch.epoch + 1) * self.source.steps()
        with self.writer.as_default(step=step):
            for group in ("losses", "validation"):
                for name, value in getattr(epoch, group).items():
                    tf.summary.write(f"{group}/{name}", tf.constant(value), metadata=_SCALAR)
        self.writer.flush()
        self.report(
            f"epoch {epoch.epoch + 1}/{self.settings.epochs} loss {epoch.losses['loss']:.4f} "
            f"validation {epoch.validation[SCORE]:.4f} {epoch.wall_seconds:.1f} s "
            f"{self.source.count / epoch.wall_seconds:.0f} examples/s"
        )
