"""The product's model and training, and the counting baselines, on a sequence file."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interest_migration.baselines.next_item import ItemPopularity, ItemTransitions
from interest_migration.baselines.settings import BaselineSettings
from interest_migration.evaluation.bootstrap import Estimate, Resamples
from interest_migration.evaluation.spaces import IdSpaces
from interest_migration.examples.encode import write_examples
from interest_migration.ragged import Examples
from interest_migration.sequences.examples import count_values, describe_items, to_examples
from interest_migration.sequences.files import read_attributes, read_sequences
from interest_migration.sequences.ranks import Values, rank_by_scores, summarise
from interest_migration.sequences.settings import LONGEST, MODEL, training_settings
from interest_migration.sequences.split import Cuts, split

if TYPE_CHECKING:
    from interest_migration.model.settings import VocabularySizes

MODEL_NAME = "interest_migration"
Report = Callable[[str], None]
Summary = dict[str, Estimate]


@dataclass(frozen=True)
class BenchmarkResult:
    """What a benchmark found.

    Attributes:
      file: Users, items and interactions of the file, and the users left out.
      settings: Seed, and settings of model and training.
      test: Method -> metric -> value and bounds of its interval, on the test items.
      lift: Metric -> difference to the best counting baseline and bounds of its interval.
      validation: Metric -> value of the model on the validation items.
      cost: Wall and CPU seconds of training with its validation; epochs, targets of an epoch (each a token read),
        and targets per CPU-second of the fitting alone.
    """

    file: dict[str, int]
    settings: dict[str, Any]
    test: dict[str, Summary]
    lift: Summary
    validation: dict[str, float]
    cost: dict[str, float] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        return asdict(self)


def run_benchmark(
    sequences: Path,
    attributes: Path | None,
    seed: int = 0,
    budget_seconds: float | None = None,
    resamples: int = 200,
    report: Report = print,
) -> BenchmarkResult:
    """Trains and scores.

    Args:
      sequences: File of sequences.
      attributes: File of the items' attributes, if there is one.
      seed: Of weights, order, dropout and resamples.
      budget_seconds: Training stops before the epoch that would pass so many seconds.
      resamples: Of the intervals.
      report: Receives one line per epoch.

    Raises:
      DataError: If a file cannot be read.
    """
    file = read_sequences(sequences)
    described = read_attributes(attributes, file.names) if attributes else None
    cuts = split(file.items, LONGEST)
    items = describe_items(described, len(file.names))
    examples = {name: to_examples(part, items) for name, part in cuts.items()}
    size = len(file.names)
    users = Resamples.draw(cuts["test"].user, resamples, seed)
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / name for name in examples}
        for name, path in paths.items():
            write_examples(examples[name], path)
        found, record, cost = _train(paths, count_values(size, described), seed, budget_seconds, report)
    methods = {MODEL_NAME: found} | _count(examples["train"], examples["test"], cuts["test"], size)
    return BenchmarkResult(
        file={
            "users": len(file.items),
            "items": size,
            "interactions": len(file.items.values),
            "users_left_out": file.left_out,
        },
        settings={
            "seed": seed,
            "model": MODEL.model_dump(),
            "training": training_settings(seed, budget_seconds).model_dump(),
        },
        test={name: summarise(values, users) for name, values in methods.items()},
        lift=summarise(_difference(methods), users),
        validation={name: record["best_validation"][f"next_item_{name}"] for name in ("hit_at_10", "ndcg_at_10")},
        cost=cost | _speed(record, len(cuts["train"].history.values)),
    )


def _train(
    paths: Mapping[str, Path], sizes: VocabularySizes, seed: int, budget_seconds: float | None, report: Report
) -> tuple[Values, dict[str, Any], dict[str, float]]:
    """Returns the model's values on the test, the record of its training, and what that took in all."""
    from interest_migration.sequences.ranks import rank_by_model
    from interest_migration.training.input import ExampleSource
    from interest_migration.training.train import TrainingData, train

    wall, cpu = time.monotonic(), time.process_time()
    settings = training_settings(seed, budget_seconds)
    data = TrainingData([str(paths["train"])], [str(paths["eval"])], sizes, new_interest_days=1.0)
    trained = train(data, MODEL, settings, paths["train"].parent / "run", report)
    cost = {"wall_seconds": time.monotonic() - wall, "cpu_seconds": time.process_time() - cpu}
    test = ExampleSource([str(paths["test"])], settings)
    return rank_by_model(trained.model, test.batches(), sizes.items), trained.record, cost


def _speed(record: dict[str, Any], targets: int) -> dict[str, float]:
    """Returns epochs, targets (and so tokens) of an epoch, and how many were learned from per CPU-second of fitting."""
    epochs, seconds = record["epochs"], record["fit_cpu_seconds"]
    return {"epochs": epochs, "targets": targets, "targets_per_cpu_second": epochs * targets / seconds}


def _count(train: Examples, test: Examples, cuts: Cuts, size: int) -> dict[str, Values]:
    """Ranks by counts of the training part alone."""
    spaces = IdSpaces(categories=1, items=size)
    found = {}
    for baseline in (ItemTransitions(spaces, BaselineSettings()), ItemPopularity(spaces)):
        baseline.fit(train)
        found[baseline.name] = rank_by_scores(baseline.score(test), cuts)
    return found


def _difference(methods: dict[str, Values]) -> Values:
    """Returns metric -> `[N]`, the model less the baseline with the higher mean."""
    rivals = [values for name, values in methods.items() if name != MODEL_NAME]
    best = {name: max((values[name] for values in rivals), key=np.mean) for name in rivals[0]}
    return {name: methods[MODEL_NAME][name] - column for name, column in best.items()}
