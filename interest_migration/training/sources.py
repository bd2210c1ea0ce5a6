"""The examples of a training, told apart by what they may be used for.

users kept for calibration   neither fitted to nor pretrained on
users with labels            fitted to; `training.label_share` of all
others                       their trajectories are pretrained on, their labels are not read
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from interest_migration.errors import DataError
from interest_migration.pretraining.labels import read_trajectory_labels
from interest_migration.pretraining.settings import PretrainingSettings
from interest_migration.ragged import Array, Ragged
from interest_migration.training.calibrate import HeldOut, hold_out
from interest_migration.training.followers import fill_graphs
from interest_migration.training.held_out import UserRange
from interest_migration.training.input import SPECS, ExampleSource
from interest_migration.training.label_share import choose_users, hide_labels, read_users
from interest_migration.training.priors import initialise
from interest_migration.training.settings import TrainingSettings
from schemas.features import HORIZON_OBSERVED, UNKNOWN_LABEL, Role, Shape, label_name

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel
    from interest_migration.training.train import TrainingData

Columns = Mapping[str, Array | Ragged]


@dataclass(frozen=True)
class Sources:
    """The examples of a training.

    Attributes:
      train: Examples to fit to.
      held_out: Those of the eval split, of users whose labels are used.
      unfitted: Those to calibrate on, of users whose labels are used.
      others: Examples of the other users: with trajectory labels if there is pretraining, else without labels. None if
        there are no others.
      trajectories: Examples to pretrain on, and those of the eval split, with trajectory labels; None without
        pretraining.
      settings: How to train.
    """

    train: ExampleSource
    held_out: ExampleSource
    unfitted: HeldOut
    others: ExampleSource | None
    trajectories: tuple[ExampleSource, ExampleSource] | None
    settings: TrainingSettings

    def count_into(self, model: InterestModel) -> tuple[str, ...]:
        """Counts what is known before any learning into a model, see `initialise` and `fill_graphs`.

        Returns:
          The horizons that some example has observed.
        """
        others = [self.others.batches()] if self.others else []
        observed = initialise(model, chain(self.train.batches(), *others))
        self._fill_graphs(model, self.settings.label_share)
        return observed

    def count_trajectories_into(self, model: InterestModel) -> tuple[ExampleSource, ExampleSource]:
        """Counts the same without any label, and returns `trajectories`."""
        if self.trajectories is None:
            raise ValueError("expected pretraining with at least one epoch")
        initialise(model, self.trajectories[0].batches())
        self._fill_graphs(model, 0.0)
        return self.trajectories

    def _fill_graphs(self, model: InterestModel, share: float) -> None:
        settings = self.settings
        fill_graphs(
            model,
            self.train.paths,
            settings.memory_megabytes,
            dict if share == 1 else lambda examples: hide_labels(examples, share, settings.seed),
        )


def read_sources(data: TrainingData, settings: TrainingSettings, pretraining: PretrainingSettings) -> Sources:
    """Reads the examples.

    Raises:
      DataError: If a split has no example, or none of a user whose labels are used.
    """
    held_out = ExampleSource(data.eval_paths, settings)
    if settings.label_share == 1 and not pretraining.epochs:
        unfitted = hold_out(data.train_paths, settings)
        train = ExampleSource(data.train_paths, settings, unfitted.fitted)
        return Sources(train, held_out, unfitted, None, None, settings)
    whole, users = ExampleSource(data.train_paths, settings), read_users(data.train_paths)
    chosen = choose_users(users, settings.label_share, settings.seed)

    def of(wanted: UserRange) -> ExampleSource:
        return whole.select(chosen & wanted.holds(users).numpy())

    unfitted = hold_out(data.train_paths, settings, of)
    fitted = unfitted.fitted.holds(users).numpy()
    unlabelled = _relabel(whole, data) if pretraining.epochs else whole.with_columns(no_labels(whole.count))
    trajectories = (unlabelled.select(fitted), _relabel(held_out, data)) if pretraining.epochs else None
    others = unlabelled.select(fitted & ~chosen) if (fitted & ~chosen).any() else None
    try:
        train = whole.select(fitted & chosen)
        held_out = held_out.select(choose_users(read_users(data.eval_paths), settings.label_share, settings.seed))
    except DataError as error:
        raise DataError(f"training.label_share {settings.label_share} leaves no user, raise it: {error}") from error
    return Sources(train, held_out, unfitted, others, trajectories, settings)


def no_labels(count: int) -> Columns:
    """Returns label columns of `count` examples that tell nothing."""
    observed = {label_name(name) for name in HORIZON_OBSERVED.values()}
    empty = Ragged(np.zeros(0, np.int64), np.zeros(count + 1, np.int64))
    return {
        spec.name: empty
        if spec.shape is Shape.SET
        else np.full(count, 0 if spec.name in observed else UNKNOWN_LABEL, np.int64)
        for spec in SPECS
        if spec.role is Role.LABEL
    }


def _relabel(source: ExampleSource, data: TrainingData) -> ExampleSource:
    return source.with_columns(read_trajectory_labels(source.paths, data.label_days, data.interest_actions))
