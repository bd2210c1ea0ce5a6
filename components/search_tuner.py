"""Trials of a search: trainings that KerasTuner asks for.

<directory>/<digest>/oracle.json, tuner0.json, trial_*/   state of KerasTuner: a killed search goes on from it
<directory>/<digest>/training/<trial>/                    logs, and the checkpoints of a trial under way
<directory>/<digest>/trials.json, best.yaml               see `interest_migration.search.trials`
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from absl import logging
from keras_tuner import errors
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.oracle import Oracle
from tfx.components.trainer.fn_args_utils import FnArgs

from components.trainer import read_training
from interest_migration.errors import ConfigError, DataError
from interest_migration.search.settings import SearchSettings
from interest_migration.search.trials import Search, Trial
from interest_migration.search.values import merge_values, searched
from interest_migration.training.train import train


class SearchTuner(BaseTuner):
    """Runs trainings, and keeps account of them.

    Args:
      oracle: Chooses the values.
      fn_args: Arguments of the step.
      settings: The search.
      epochs: Most epochs of a trial.
      directory: Keeps the state of searches.
    """

    def __init__(self, oracle: Oracle, fn_args: FnArgs, settings: SearchSettings, epochs: int, directory: Path) -> None:
        self._arguments, self._settings, self._epochs = fn_args, settings, epochs
        self.folder = directory / _digest(fn_args)
        try:
            self.account = Search.read(self.folder)
        except DataError:
            self.account = Search(settings.objective)
        super().__init__(oracle, directory=str(directory), project_name=self.folder.name)

    def run_trial(self, trial: Any, *_: Any, **__: Any) -> dict[str, float]:
        """Trains with the values of a trial.

        Returns:
          The objective.

        Raises:
          FailedTrialError: If the values do not go together, or training diverges.
          FatalError: If the log cannot tell the objective.
        """
        values = trial.hyperparameters.values
        try:
            record = self._train(trial.trial_id, values)
        except ConfigError as error:
            self._note(Trial(trial.trial_id, searched(values), reason=str(error)))
            raise errors.FailedTrialError(str(error)) from error
        found = record["best_validation"]
        if self._settings.objective not in found:
            raise errors.FatalError(
                f"search.objective: expected a metric that this log can tell, received {self._settings.objective}; "
                f"known are {', '.join(found)}"
            )
        score = found[self._settings.objective]
        self._note(Trial(trial.trial_id, searched(values), score, record["epochs"], record["wall_seconds"]))
        return {self._settings.objective: score}

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[Any]:
        """Returns the values of the best trials; of equal ones KerasTuner takes any, this the earlier."""
        scored = [trial for trial in self.account.ranked() if trial.score is not None]
        return [self.oracle.get_trial(trial.trial).hyperparameters for trial in scored[:num_trials]]

    def on_search_end(self) -> None:
        """Tells the best values.

        Raises:
          ConfigError: If no trial came to an end.
        """
        best = self.account.best
        if best is None:
            reasons = sorted({trial.reason for trial in self.account.trials})
            raise ConfigError(
                f"search.space: expected a trial that can be trained, received none: {'; '.join(reasons)}"
            )
        logging.info("best of %d trials: %s", len(self.account.trials), best.describe(1, 1))

    def _train(self, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        folder = self.folder / "training" / name
        config = merge_values(self._arguments.custom_config, values)
        training = read_training(self._arguments, config)
        settings = training.settings.model_copy(
            update={
                "epochs": int(values.get("tuner/epochs", self._epochs)),
                "checkpoint_directory": str(folder / "checkpoints"),
                "warm_start": False,
            }
        )
        return train(training.data, training.model, settings, folder, logging.info).record

    def _note(self, trial: Trial) -> None:
        self.account = self.account.with_trial(trial)
        self.account.write(self.folder)
        logging.info("%s", trial.describe(len(self.account.trials), self._settings.trials))


def _digest(fn_args: FnArgs) -> str:
    """Names what a search belongs to: its settings, and number and size of the files."""
    config = {name: value for name, value in (fn_args.custom_config or {}).items() if name != "search_directory"}
    patterns = (fn_args.train_files, fn_args.eval_files)
    sizes = [
        [tf.io.gfile.stat(path).length for pattern in files for path in sorted(tf.io.gfile.glob(pattern))]
        for files in patterns
    ]
    return hashlib.sha256(json.dumps([config, sizes], sort_keys=True).encode()).hexdigest()[:16]
