"""The experiment on a second platform, on what finished runs left."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pipeline.cold_items import read_graph
from pipeline.config import PipelineConfig
from pipeline.terminal import divert_output
from pipeline.workspace import LOG_FILE, new_run_id, reading

if TYPE_CHECKING:
    from interest_migration.across_platforms.experiment import TransferResult
    from interest_migration.across_platforms.platform import Cut, Platform


def rank_across_platforms(
    source: PipelineConfig, target: PipelineConfig | None, cut: str, sample: float, seed: int
) -> "TransferResult":
    """Runs `interest_migration.across_platforms.experiment` on the newest finished runs.

    Args:
      source: Names the workspace to train on, and how.
      target: Names the workspace to serve; None cuts the source in two.
      cut: How, see `cut_in_two`.
      sample: Share of the users that are read.
      seed: Of the choice of users and items.

    Raises:
      DataError: If no run with a language model has finished.
      ConfigError: If the two runs read texts by different language models.
    """
    with ExitStack() as stack:
        for config in (source, target):
            if config:
                stack.enter_context(reading(config.workspace))
        log = source.workspace / "across_platforms" / new_run_id() / LOG_FILE
        terminal = stack.enter_context(divert_output(log))
        return _rank(source, target, cut, sample, seed, lambda line: print(line, file=terminal, flush=True))


def _rank(
    source: PipelineConfig,
    target: PipelineConfig | None,
    cut: str,
    sample: float,
    seed: int,
    report: Callable[[str], None],
) -> "TransferResult":
    from interest_migration.across_platforms.experiment import Transfer, run_transfer
    from interest_migration.across_platforms.platform import cut_in_two

    first = _read(source, sample, seed)
    if target:
        second = _read(target, sample, seed)
    else:
        first, second = cut_in_two(first, cast("Cut", cut), seed)
    transfer = Transfer(
        first,
        second,
        source.model,
        source.training,
        source.baselines,
        seed=seed,
        resamples=source.comparison.resamples,
    )
    with tempfile.TemporaryDirectory() as scratch:
        return run_transfer(transfer, Path(scratch), report)


def _read(config: PipelineConfig, sample: float, seed: int) -> "Platform":
    from interest_migration.across_platforms.platform import Platform, read_splits

    paths, sizes, vectors = read_graph(config)
    return Platform(read_splits(paths, sample, seed), sizes, vectors, config.examples.new_interest_days)
