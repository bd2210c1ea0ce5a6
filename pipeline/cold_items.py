"""The experiment on items that were never seen, on what a finished run left."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from interest_migration.errors import DataError
from interest_migration.language.text_vectors import TEXT_VECTORS_FILE, TextVectors
from pipeline.config import PipelineConfig
from pipeline.evaluation import newest_artifacts
from pipeline.terminal import divert_output
from pipeline.workspace import LOG_FILE, new_run_id, reading

if TYPE_CHECKING:
    from interest_migration.cold_items.scoring import Ranked
    from interest_migration.model.settings import VocabularySizes


def rank_cold_items(
    config: PipelineConfig, share: float, sample: float, seeds: Sequence[int], trained: bool = True
) -> list["Ranked"]:
    """Runs the experiment of `interest_migration.cold_items.experiment` on the newest finished run.

    Args:
      config: Names the workspace and how models are trained.
      share: Share of the items that are held out.
      sample: Share of the users whose examples are trained on.
      seeds: Of the choice of items and users, one for every draw.
      trained: Whether models are trained.

    Raises:
      DataError: If no run with a language model has finished.
    """
    with (
        reading(config.workspace),
        divert_output(config.workspace / "cold_items" / new_run_id() / LOG_FILE) as terminal,
    ):
        return _rank(config, share, sample, seeds, trained, lambda line: print(line, file=terminal, flush=True))


def _rank(
    config: PipelineConfig,
    share: float,
    sample: float,
    seeds: Sequence[int],
    trained: bool,
    report: Callable[[str], None],
) -> list["Ranked"]:
    from interest_migration.cold_items.experiment import Trial, run_trial

    first = Trial(
        *read_graph(config),
        config.examples.new_interest_days,
        config.model,
        config.training,
        share=share,
        sample=sample,
        resamples=config.comparison.resamples,
        trained=trained,
    )
    found = []
    for number, seed in enumerate(seeds, start=1):
        report(f"draw {number} of {len(seeds)}, seed {seed}")
        with tempfile.TemporaryDirectory() as scratch:
            found.append(run_trial(replace(first, seed=seed), Path(scratch), report))
        values = (f"{name} {measures['hr_at_10'].value:.3f}" for name, measures in found[-1].methods.items())
        report(f"HR@10: {', '.join(values)}")
    return found


def read_graph(config: PipelineConfig) -> tuple[dict[str, list[str]], "VocabularySizes", TextVectors]:
    """Returns the files of transformed examples by split, vocabulary sizes and vectors of the newest finished run.

    Raises:
      DataError: If no run with a language model has finished.
    """
    artifacts = newest_artifacts(config.workspace)
    graph = Path(artifacts["transform_graph"])
    if not (graph / TEXT_VECTORS_FILE).is_file():
        raise DataError(f"expected vectors of texts in {graph}, found none; run with a section `language` first")
    import tensorflow_transform as tft

    from components.splits import split_files
    from components.trainer import vocabulary_sizes

    examples = artifacts["transformed_examples"]
    paths = {split: split_files(examples, split) for split in ("train", "eval", "test")}
    sizes = vocabulary_sizes(tft.TFTransformOutput(str(graph)), config.transform)
    return paths, sizes, TextVectors.load(graph / TEXT_VECTORS_FILE)
