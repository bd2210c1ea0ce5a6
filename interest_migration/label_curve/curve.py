"""Trains with more and more labels, with and without pretraining."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

from interest_migration.label_curve.results import LabelCurve, Trained, summarise
from interest_migration.label_curve.scoring import Scorer
from interest_migration.model.settings import ModelSettings
from interest_migration.pretraining.pretrain import Pretrained
from interest_migration.pretraining.settings import PretrainingSettings
from interest_migration.training.label_share import choose_users, read_users
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.train import TrainingData, train

_LEAST_STEPS: Final = 200
_PASS_STEPS: Final = 8
_SMALLEST_BATCH: Final = 16
_MOST_EPOCHS: Final = 40


@dataclass(frozen=True)
class CurveSettings:
    """What is trained.

    Attributes:
      shares: Shares of users whose labels are used.
      seeds: Number of seeds; each chooses other users.
      budget_seconds: No training begins later than this; None is no bound.
      confidence: Of the intervals.
    """

    shares: Sequence[float]
    seeds: int
    budget_seconds: float | None
    confidence: float


def trace_curve(
    data: TrainingData,
    model: ModelSettings,
    training: TrainingSettings,
    pretraining: PretrainingSettings,
    scorer: Scorer,
    settings: CurveSettings,
    directory: Path,
    report: Callable[[str], None],
) -> LabelCurve:
    """Trains and scores every share and seed.

    Each seed is pretrained once, and its weights serve all shares. The smallest shares come first.

    Args:
      data: Examples.
      model: Size of the model.
      training: How to train; with few examples, batches are smaller and epochs more (`with_enough_steps`).
      pretraining: How to pretrain; its epochs are at least 1.
      scorer: The test split.
      settings: Shares, seeds, time.
      directory: Receives logs and state.
      report: Receives one line per training.
    """
    start, users = time.monotonic(), read_users(data.train_paths)
    trained: list[Trained] = []
    left_out: list[str] = []
    kept: dict[int, Pretrained] = {}
    for share, seed in product(sorted(settings.shares), range(training.seed, training.seed + settings.seeds)):
        if settings.budget_seconds is not None and time.monotonic() - start > settings.budget_seconds:
            left_out.append(f"share {share:g}, seed {seed}")
            continue
        options = training.model_copy(update={"seed": seed, "label_share": share, "warm_start": False})
        chosen = int(choose_users(users, share, seed).sum())
        options, place = with_enough_steps(options, chosen), directory / f"seed-{seed}" / f"share-{share:g}"
        plain = train(data, model, options, place / "plain", _quiet)
        second = train(
            data,
            model,
            options,
            place / "pretrained",
            _quiet,
            pretraining=pretraining,
            pretrained=kept.get(seed),
        )
        if second.pretrained:
            kept[seed] = second.pretrained
        trained.append(Trained(share, seed, chosen, scorer(plain.model), scorer(second.model)))
        report(_describe(trained[-1], time.monotonic() - start))
    return LabelCurve(
        points=summarise(trained, settings.confidence, training.seed),
        left_out=tuple(left_out),
        confidence=settings.confidence,
        test_examples=scorer.examples,
        test_users=scorer.users,
        pretraining_seconds=tuple(float(one.record["wall_seconds"]) for one in kept.values()),
    )


def with_enough_steps(training: TrainingSettings, examples: int) -> TrainingSettings:
    """Returns settings under which few examples get enough steps: both arms would else be stopped half trained.

    Args:
      training: Settings for all examples.
      examples: Number of labelled examples.

    Example:
      batch size 256, 5 epochs, 320 examples -> batch size 40, 25 epochs, patience 6.
    """
    batch = min(training.batch_size, max(_SMALLEST_BATCH, examples // _PASS_STEPS))
    steps = max(1, examples // batch)
    epochs = max(training.epochs, min(_MOST_EPOCHS, math.ceil(_LEAST_STEPS / steps)))
    patience = max(training.patience, epochs // 4)
    return training.model_copy(update={"batch_size": batch, "epochs": epochs, "patience": patience})


def _quiet(_: str) -> None:
    """Epochs are in `training.json`."""


def _describe(pair: Trained, seconds: float) -> str:
    values = " ".join(f"{name} {pair.plain[name][0]:.3f}>{pair.pretrained[name][0]:.3f}" for name in pair.plain)
    return f"{seconds:6.0f} s  share {pair.share:g} seed {pair.seed}: {pair.examples} examples, {values}"
