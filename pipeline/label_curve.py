"""The label-efficiency curve of a configuration, on the examples of its newest finished run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pipeline.config import PipelineConfig
from pipeline.evaluation import evaluation_settings, newest_artifacts
from pipeline.terminal import divert_output
from pipeline.workspace import LOG_FILE, new_run_id, reading

if TYPE_CHECKING:
    from interest_migration.label_curve.results import LabelCurve
    from interest_migration.training.train import TrainingData

DEFAULT_EPOCHS: Final = 2
"""Epochs of pretraining where the configuration has none."""


def trace_label_curve(
    config: PipelineConfig, shares: Sequence[float], seeds: int, budget_seconds: float | None
) -> "LabelCurve":
    """Trains with shares of the labels, with and without pretraining, and scores the test split; nothing is pushed.

    Progress goes to standard error, the libraries' messages to a log in the workspace.

    Args:
      config: The configuration.
      shares: Shares of users whose labels are used.
      seeds: Number of seeds.
      budget_seconds: No training begins later than this.

    Raises:
      DataError: If no run has finished in the workspace, or a share leaves no user.
    """
    with reading(config.workspace):
        artifacts = newest_artifacts(config.workspace)
        folder = config.workspace / "evaluations" / new_run_id()
        with divert_output(folder / LOG_FILE) as terminal:
            terminal.write(f"Label curve on {artifacts['transformed_examples']}; log: {folder / LOG_FILE}\n")
            from components.comparison import read_spaces
            from components.splits import split_files
            from interest_migration.label_curve.curve import CurveSettings, trace_curve
            from interest_migration.label_curve.scoring import Scorer

            data = _read_data(config, artifacts["transformed_examples"], artifacts["transform_graph"])
            settings = CurveSettings(shares, seeds, budget_seconds, config.comparison.confidence)
            epochs = config.pretraining.epochs or DEFAULT_EPOCHS
            return trace_curve(
                data,
                config.model,
                config.training,
                config.pretraining.model_copy(update={"epochs": epochs}),
                Scorer(
                    split_files(artifacts["transformed_examples"], "test"),
                    read_spaces(artifacts["transform_graph"]),
                    evaluation_settings(config),
                    config.seed,
                ),
                settings,
                folder,
                lambda line: print(line, file=terminal, flush=True),
            )


def _read_data(config: PipelineConfig, examples: str, transform_graph: str) -> "TrainingData":
    import tensorflow_transform as tft

    from components.splits import split_files
    from components.trainer import vocabulary_sizes
    from interest_migration.training.train import TrainingData
    from schemas.events import ACTIONS

    return TrainingData(
        split_files(examples, "train"),
        split_files(examples, "eval"),
        vocabulary_sizes(tft.TFTransformOutput(transform_graph), config.transform),
        config.examples.new_interest_days,
        label_days=config.examples.horizons_days.model_dump(),
        step_days=config.examples.cut_every_days,
        interest_actions=[1 + ACTIONS.index(action) for action in config.examples.interest_actions],
    )
