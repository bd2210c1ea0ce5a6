"""Tuner: searches hyperparameters, each trial a whole training with validation and early stopping.

TFX calls `tuner_fn` by its path, `components.tuner.tuner_fn`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import keras_tuner
from keras_tuner.engine.oracle import Oracle
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from components.search_tuner import SearchTuner
from components.trainer import read_training
from interest_migration.search.settings import Dimension, SearchSettings, is_whole

SEARCH: Final = "search"
SEARCH_DIRECTORY: Final = "search_directory"
"""Keys of `custom_config`, besides those of the Trainer."""


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Makes the tuner.

    Args:
      fn_args: As for `components.trainer.run_fn`; `custom_config` also holds the values of `SearchSettings` under
        `search`, and under `search_directory` the folder that keeps the state (by default a temporary one).

    Raises:
      ConfigError: If a value of `custom_config` does not fit.
    """
    config = fn_args.custom_config or {}
    settings = SearchSettings.from_values(config.get(SEARCH), source="custom_config search")
    training = read_training(fn_args, config)
    epochs = min(settings.epochs or training.settings.epochs, training.settings.epochs)
    oracle = make_oracle(settings, epochs, training.settings.seed)
    folder = Path(config.get(SEARCH_DIRECTORY) or fn_args.working_dir or ".")
    return TunerFnResult(SearchTuner(oracle, fn_args, settings, epochs, folder), {"verbose": 0})


def make_oracle(settings: SearchSettings, epochs: int, seed: int) -> Oracle:
    """Returns the algorithm that chooses the values of the trials.

    Args:
      settings: The search.
      epochs: Most epochs of a trial.
      seed: Of what it draws.
    """
    arguments: dict[str, Any] = {
        "objective": keras_tuner.Objective(settings.objective, "max"),
        "hyperparameters": make_space(settings.space),
        "tune_new_entries": False,
        "seed": seed + 1,  # KerasTuner takes 0 for none
        "max_consecutive_failed_trials": settings.trials + 1,  # a combination that does not fit stops nothing
    }
    if settings.algorithm == "hyperband":
        oracle = keras_tuner.oracles.HyperbandOracle(max_epochs=epochs, **arguments)
        oracle.max_trials = settings.trials
        return oracle
    kinds = {
        "random": keras_tuner.oracles.RandomSearchOracle,
        "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    }
    return kinds[settings.algorithm](max_trials=settings.trials, **arguments)


def make_space(space: Mapping[str, Dimension]) -> keras_tuner.HyperParameters:
    """Returns the ranges as KerasTuner knows them."""
    found = keras_tuner.HyperParameters()
    for name, dimension in space.items():
        sampling = "log" if dimension.log else "linear"
        if dimension.values:
            found.Choice(name, list(dimension.values))
        elif is_whole(name):
            step = int(dimension.step) if dimension.step else None
            found.Int(name, int(dimension.min or 0), int(dimension.max or 0), step=step, sampling=sampling)
        else:
            found.Float(name, dimension.min, dimension.max, step=dimension.step, sampling=sampling)
    return found
