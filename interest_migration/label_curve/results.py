"""The label-efficiency curve as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from interest_migration.evaluation.bootstrap import Draws, percentile_interval
from interest_migration.label_curve.scoring import METRICS


@dataclass(frozen=True)
class Trained:
    """One trained pair: the same labels, without and with pretraining.

    Attributes:
      share: Share of users whose labels were used.
      seed: Of weights, order and choice of users.
      examples: Labelled examples.
      plain: Task -> draws of its metric without pretraining.
      pretrained: Likewise with pretraining.
    """

    share: float
    seed: int
    examples: int
    plain: Mapping[str, Draws]
    pretrained: Mapping[str, Draws]


@dataclass(frozen=True)
class Point:
    """One task at one share; means over seeds.

    Attributes:
      share: Share of users whose labels were used.
      task: Name of the task.
      metric: Name of its metric.
      examples: Mean number of labelled examples.
      seeds: Number of seeds.
      plain: Without pretraining.
      pretrained: With it.
      difference: Pretrained less plain.
      low: Lower end of the interval of the difference; None where it is undefined.
      high: Upper end.
    """

    share: float
    task: str
    metric: str
    examples: float
    seeds: int
    plain: float
    pretrained: float
    difference: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class LabelCurve:
    """The curve.

    Attributes:
      points: Shares ascending, within them the tasks.
      left_out: Trainings that the time did not suffice for, as `share 0.25, seed 1`.
      confidence: Of the intervals.
      test_examples: Examples that were scored.
      test_users: Their users.
      pretraining_seconds: For each seed, how long pretraining took.
    """

    points: tuple[Point, ...]
    left_out: tuple[str, ...]
    confidence: float
    test_examples: int
    test_users: int
    pretraining_seconds: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return asdict(self)


def summarise(trained: Sequence[Trained], confidence: float, seed: int) -> tuple[Point, ...]:
    """Returns the points of all shares and tasks that were trained.

    An interval is a bootstrap over users and seeds: each resample of the users takes as many seeds, drawn with
    replacement, and averages their differences.
    """
    shares = sorted({pair.share for pair in trained})
    by_share = {share: [pair for pair in trained if pair.share == share] for share in shares}
    return tuple(
        _point(share, task, pairs, confidence, seed)
        for share, pairs in by_share.items()
        for task in METRICS
        if all(task in pair.plain for pair in pairs)
    )


def _point(share: float, task: str, pairs: Sequence[Trained], confidence: float, seed: int) -> Point:
    plain = np.stack([pair.plain[task] for pair in pairs])
    pretrained = np.stack([pair.pretrained[task] for pair in pairs])
    difference = pretrained - plain
    chosen = np.random.default_rng(seed).integers(len(pairs), size=difference.shape)
    chosen[:, 0] = np.arange(len(pairs))  # column 0 is the sample itself
    interval = percentile_interval(np.take_along_axis(difference, chosen, axis=0).mean(axis=0), confidence)
    known = not np.isnan(interval.low)
    return Point(
        share=share,
        task=task,
        metric=METRICS[task],
        examples=float(np.mean([pair.examples for pair in pairs])),
        seeds=len(pairs),
        plain=float(plain[:, 0].mean()),
        pretrained=float(pretrained[:, 0].mean()),
        difference=float(difference[:, 0].mean()),
        low=interval.low if known else None,
        high=interval.high if known else None,
    )
