"""Model beside baselines, and the gate, again: on what a finished run left."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from interest_migration.errors import DataError
from interest_migration.evaluation.measures import MEASURES_FILE, Measures
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.gates.decision import Decision
from interest_migration.gates.judge import judge
from interest_migration.gates.settings import GateSettings
from pipeline.config import PipelineConfig
from pipeline.terminal import divert_output
from pipeline.workspace import LOG_FILE, OUTCOME_FILE, new_run_id, reading

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
    with reading(config.workspace):
        return _compare(config, model, examples)


def _compare(config: PipelineConfig, model: Path | None, examples: Path | None) -> "EvaluationReport":
    artifacts = newest_artifacts(config.workspace)
    model_folder = _require(model or Path(artifacts["model"]) / "Format-Serving", "saved_model.pb", "a SavedModel")
    examples_folder = _require(examples or Path(artifacts["transformed_examples"]), "Split-test", "example splits")
    with divert_output(config.workspace / "evaluations" / new_run_id() / LOG_FILE) as terminal:
        terminal.write(f"Comparing {model_folder} with the baselines on {examples_folder}\n")
        from components.comparison import compare_model, read_spaces
        from components.splits import split_files

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
    values = {
        **config.comparison.model_dump(),
        "new_interest_days": config.examples.new_interest_days,
        "minimum_users": config.privacy.min_users,
    }
    return EvaluationSettings.from_values(values, source="comparison")


def newest_artifacts(workspace: Path) -> dict[str, str]:
    """Returns the artifacts of the newest finished run: name -> folder.

    Raises:
      DataError: If no run has finished in the workspace.
    """
    return read_artifacts(finished_run(workspace))


def finished_run(workspace: Path, run_id: str | None = None) -> Path:
    """Returns the folder of a finished run, the newest if none is named.

    Raises:
      DataError: If there is none.
    """
    found = sorted(path.parent for path in workspace.glob(f"runs/{run_id or '*'}/{OUTCOME_FILE}"))
    if not found:
        what = f"a finished run {run_id}" if run_id else "a finished run"
        raise DataError(f"expected {what} in {workspace}, found none; try: interest-migration run --config ...")
    return found[-1]


def read_artifacts(run: Path) -> dict[str, str]:
    """Returns the artifacts of a finished run: name -> folder."""
    artifacts: dict[str, str] = json.loads((run / OUTCOME_FILE).read_text(encoding="utf-8"))["artifacts"]
    return artifacts


def find_measures(evaluation: Path) -> Path:
    """Returns the folder with the table of measures of an evaluation.

    Args:
      evaluation: That folder; or a run's folder; or any artifact of a run, such as TFMA's.

    Raises:
      DataError: If there is no evaluation.
    """
    place = evaluation.resolve()
    for folder in (place, *(Path(read_artifacts(run)["decision"]) for run in _runs_of(place))):
        if (folder / MEASURES_FILE).is_file():
            return folder
    raise DataError(
        f"expected an evaluation in {evaluation}: a folder with {MEASURES_FILE}, a run's folder "
        "(workspace/runs/...) or an artifact of a run; received neither"
    )


def _runs_of(place: Path) -> Iterator[Path]:
    """Yields the run that a folder is, or the finished runs around it that have it among their artifacts."""
    if (place / OUTCOME_FILE).is_file():
        yield place
    for outcome in (path for parent in place.parents for path in parent.glob(f"runs/*/{OUTCOME_FILE}")):
        if str(place) in read_artifacts(outcome.parent).values():
            yield outcome.parent


def judge_again(evaluation: Path, gates: Path) -> Decision:
    """Holds an evaluation against a gates file; nothing is trained, measured or pushed.

    Raises:
      DataError: If there is no evaluation.
      ConfigError: If the gates file does not fit.
    """
    rules = GateSettings.from_yaml(gates)
    return judge(Measures.read(find_measures(evaluation)), rules)


def _require(folder: Path, entry: str, what: str) -> Path:
    if not (folder / entry).exists():
        raise DataError(f"expected {what} in {folder}, found no {entry}")
    return folder
