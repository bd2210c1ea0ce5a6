"""Model beside baselines again, on what a finished run left."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from interest_migration.errors import DataError
from interest_migration.evaluation.settings import EvaluationSettings
from pipeline.config import PipelineConfig
from pipeline.terminal import divert_output
from pipeline.workspace import LOG_FILE, OUTCOME_FILE, new_run_id

if TYPE_CHECKING:
    from interest_migration.evaluation.results import EvaluationReport


def evaluate_run(config: PipelineConfig, model: Path | None, examples: Path | None) -> "EvaluationReport":
    """Compares a model with the baselines.

    Args:
      config: Names the workspace, and how baselines are fitted and scores are judged.
      model: SavedModel; default: that of the newest finished run.
      examples: Transformed examples; default: those of that run.

    Raises:
      DataError: If there is no finished run, or a folder is not what it should be.
    """
    artifacts = newest_artifacts(config.workspace)
    model_folder = _require(model or Path(artifacts["model"]) / "Format-Serving", "saved_model.pb", "a SavedModel")
    examples_folder = _require(examples or Path(artifacts["transformed_examples"]), "Split-test", "example splits")
    with divert_output(config.workspace / "evaluations" / new_run_id() / LOG_FILE) as terminal:
        terminal.write(f"Comparing {model_folder} with the baselines on {examples_folder}\n")
        from components.comparison import compare_model, read_spaces, split_files

        return compare_model(
            str(model_folder),
            split_files(str(examples_folder), "train"),
            split_files(str(examples_folder), "test"),
            read_spaces(artifacts["transform_graph"]),
            config.baselines,
            evaluation_settings(config),
            config.seed,
        )


def evaluation_settings(config: PipelineConfig) -> EvaluationSettings:
    """Returns the settings of the comparison."""
    values = {**config.comparison.model_dump(), "new_interest_days": config.examples.new_interest_days}
    return EvaluationSettings.from_values(values, source="comparison")


def newest_artifacts(workspace: Path) -> dict[str, str]:
    """Returns the artifacts of the newest finished run: name -> folder.

    Raises:
      DataError: If no run has finished in the workspace.
    """
    outcomes = sorted(workspace.glob(f"runs/*/{OUTCOME_FILE}"))
    if not outcomes:
        raise DataError(f"expected a finished run in {workspace}, found none; try: interest-migration run --config ...")
    artifacts: dict[str, str] = json.loads(outcomes[-1].read_text(encoding="utf-8"))["artifacts"]
    return artifacts


def _require(folder: Path, entry: str, what: str) -> Path:
    if not (folder / entry).exists():
        raise DataError(f"expected {what} in {folder}, found no {entry}")
    return folder
