"""Comparison: the model beside the baselines, on the same examples."""

from pathlib import Path
from typing import Any, Final

import tensorflow_transform as tft
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import io_utils, path_utils

from components import artifacts
from components.splits import split_files
from interest_migration.baselines.contest import Contest
from interest_migration.baselines.settings import BaselineSettings
from interest_migration.evaluation.compare import MODEL
from interest_migration.evaluation.measures import Measures
from interest_migration.evaluation.results import EvaluationReport
from interest_migration.evaluation.scores import RankedItems, TaskScores
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import IdSpaces
from interest_migration.model.evaluated import evaluate_model, match_examples, without_keys
from interest_migration.model.scores import predict_scores
from interest_migration.transform.vocabularies import CATEGORIES, ITEMS
from schemas.features import CUT_TIME, USER

COMPARISON_FILE: Final = "comparison.json"
"""`interest_migration.evaluation.results.EvaluationReport` as JSON."""


def compare_model(
    model: str,
    train_files: list[str],
    test_files: list[str],
    spaces: IdSpaces,
    baselines: BaselineSettings,
    evaluation: EvaluationSettings,
    seed: int,
) -> EvaluationReport:
    """Fits the baselines on one split, and scores them and the model on another.

    Args:
      model: Folder of the SavedModel.
      train_files: Transformed examples that the baselines learn from.
      test_files: Transformed examples that all are scored on.
      spaces: Vocabulary sizes.
      baselines: Settings of the baselines.
      evaluation: How scores are turned into measures and intervals.
      seed: Seed of the intervals.
    """
    contest = Contest.prepare(train_files, test_files, spaces, baselines, evaluation)
    return contest.report(_score(model, test_files, spaces), seed)


def measure_model(model: str, raw_files: list[str], contest: Contest, seed: int) -> Measures:
    """Measures the model and the baselines on every example.

    Args:
      model: Folder of the SavedModel.
      raw_files: The raw examples behind the contest's test split; the table has their order.
      contest: The baselines.
      seed: Seed of the resamples.
    """
    measured = evaluate_model(model, raw_files, MODEL)
    places = match_examples(measured, contest.test[USER], contest.test[CUT_TIME])
    return contest.measures(seed).take(places).with_values(without_keys(measured))


def read_spaces(transform_graph: str) -> IdSpaces:
    """Returns the vocabulary sizes of a Transform step's output."""
    output = tft.TFTransformOutput(transform_graph)
    return IdSpaces(output.vocabulary_size_by_name(CATEGORIES), output.vocabulary_size_by_name(ITEMS))


def _score(model: str, files: list[str], spaces: IdSpaces) -> TaskScores:
    columns = predict_scores(model, files)
    return {**columns, "next_item": RankedItems(columns["next_item"], spaces.items)}


class _Executor(base_executor.BaseExecutor):
    """Reads the artifacts and writes the report."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        examples = artifact_utils.get_single_uri(input_dict["examples"])
        artifact = artifact_utils.get_single_instance(input_dict["model"])
        model = path_utils.serving_model_path(artifact.uri, path_utils.is_old_model_artifact(artifact))
        spaces = read_spaces(artifact_utils.get_single_uri(input_dict["transform_graph"]))
        seed, test_files = exec_properties["seed"], split_files(examples, "test")
        contest = Contest.prepare(
            split_files(examples, "train"),
            test_files,
            spaces,
            BaselineSettings.model_validate_json(exec_properties["baselines"]),
            EvaluationSettings.model_validate_json(exec_properties["evaluation"]),
        )
        raw_files = split_files(artifact_utils.get_single_uri(input_dict["raw_examples"]), "test")
        uri = artifact_utils.get_single_uri(output_dict["comparison"])
        report = contest.report(_score(model, test_files, spaces), seed)
        io_utils.write_string_file(f"{uri}/{COMPARISON_FILE}", report.to_json())
        measure_model(model, raw_files, contest, seed).write(Path(uri))


class _Spec(component_spec.ComponentSpec):
    """Parameters, inputs and outputs of `Comparison`."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "baselines": component_spec.ExecutionParameter(type=str),
        "evaluation": component_spec.ExecutionParameter(type=str),
        "seed": component_spec.ExecutionParameter(type=int),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "raw_examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {"comparison": component_spec.ChannelParameter(type=artifacts.Comparison)}  # noqa: RUF012


class Comparison(base_component.BaseComponent):
    """Measures the model and the baselines on the test split.

    Outputs: `comparison`, with `comparison.json` (metrics with intervals) and `measures.parquet` (every method on every
    example).
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)

    def __init__(
        self,
        *,
        examples: types.BaseChannel,
        raw_examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        model: types.BaseChannel,
        baselines: str,
        evaluation: str,
        seed: int,
        code: str,
    ) -> None:
        """Makes the component.

        Args:
          examples: Transformed examples; baselines learn from the train split.
          raw_examples: What they were before Transform.
          transform_graph: Tells the vocabulary sizes.
          model: The trained model.
          baselines: `BaselineSettings` as JSON.
          evaluation: `EvaluationSettings` as JSON.
          seed: Seed of the intervals.
          code: Digest of the code that compares; only part of the cache key.
        """
        super().__init__(
            _Spec(
                examples=examples,
                raw_examples=raw_examples,
                transform_graph=transform_graph,
                model=model,
                baselines=baselines,
                evaluation=evaluation,
                seed=seed,
                code=code,
                comparison=types.Channel(type=artifacts.Comparison),
            )
        )
