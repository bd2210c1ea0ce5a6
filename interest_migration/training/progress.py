"""The state of a training that survives its process.

<directory>/progress.json       written last, by renaming: names the state that belongs to it
<directory>/state-<epoch>.npz   weights, optimizer and random state after that epoch
<directory>/best-<epoch>.npz
"""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from pydantic import Field

from interest_migration.settings import Settings


class Epoch(Settings):
    """One finished epoch: mean losses, validation metrics, seconds (`fit_cpu_seconds` without validation)."""

    epoch: int
    losses: dict[str, float]
    validation: dict[str, float]
    wall_seconds: float
    cpu_seconds: float
    fit_cpu_seconds: float = 0.0


class Progress(Settings):
    """Finished epochs, and which of them scored best.

    Attributes:
      fingerprint: Of settings and input; a state with another one is not continued.
      epochs: Finished epochs, in order.
      best_epoch: Number of the best one, from 0; -1 before any.
      best_score: Its validation score.
      start: Validation metrics of the weights that a warm start took over; None for a cold start.
    """

    fingerprint: str
    epochs: tuple[Epoch, ...] = ()
    best_epoch: int = -1
    best_score: float = Field(-1.0)
    start: dict[str, float] | None = None

    def with_epoch(self, epoch: Epoch, score: float) -> "Progress":
        """Returns the progress after one more epoch."""
        best = score > self.best_score
        return Progress(
            fingerprint=self.fingerprint,
            epochs=(*self.epochs, epoch),
            best_epoch=epoch.epoch if best else self.best_epoch,
            best_score=score if best else self.best_score,
            start=self.start,
        )

    def epochs_since_best(self) -> int:
        """Returns how many epochs have passed without a better score."""
        return len(self.epochs) - 1 - self.best_epoch


class CheckpointFolder:
    """Saves and restores the state of a training.

    Args:
      directory: Where it lies.
      fingerprint: Of settings and input.
    """

    def __init__(self, directory: Path, fingerprint: str) -> None:
        self.directory, self.fingerprint = directory / fingerprint, fingerprint
        self.directory.mkdir(parents=True, exist_ok=True)

    def restore(self, model: keras.Model) -> Progress:
        """Loads weights and optimizer of what was saved last, if there is any."""
        path = self.directory / "progress.json"
        if not path.exists():
            return Progress(fingerprint=self.fingerprint)
        progress = Progress.from_values(json.loads(path.read_text(encoding="utf-8")), source=str(path))
        self._load(model, f"state-{len(progress.epochs) - 1}")
        return progress

    def save(self, model: keras.Model, progress: Progress) -> None:
        """Saves the state after an epoch, or of a warm start before the first, which counts as epoch -1.

        A kill at any moment leaves the state before or this one.
        """
        last = len(progress.epochs) - 1
        kept = {f"state-{last}", f"best-{progress.best_epoch}"}
        self._save(model, f"state-{last}")
        if progress.best_epoch == last:
            self._save(model, f"best-{last}")
        partial = self.directory / "progress.json.partial"
        partial.write_text(progress.model_dump_json(), encoding="utf-8")
        partial.replace(self.directory / "progress.json")
        for path in self.directory.glob("*.npz"):
            if path.stem not in kept:
                path.unlink()

    def load_best(self, model: keras.Model, progress: Progress) -> None:
        """Loads the state of the best epoch; of the start, if none was better."""
        self._load(model, f"best-{progress.best_epoch}")

    def remove(self) -> None:
        """Removes the state of a finished training."""
        for path in self.directory.iterdir():
            path.unlink()
        self.directory.rmdir()

    def _save(self, model: keras.Model, name: str) -> None:
        np.savez(self.directory / name, *(variable.numpy() for variable in _variables(model)))

    def _load(self, model: keras.Model, name: str) -> None:
        with np.load(self.directory / f"{name}.npz") as values:
            for number, variable in enumerate(_variables(model)):
                variable.assign(values[f"arr_{number}"])


def _variables(model: keras.Model) -> list[keras.Variable]:
    """All variables in the order in which the model makes them; `save_weights` would leave out the random state."""
    return [*model.variables, *model.optimizer.variables]


def as_record(progress: Progress) -> list[dict[str, Any]]:
    """Returns the epochs as plain values."""
    return [epoch.model_dump() for epoch in progress.epochs]
