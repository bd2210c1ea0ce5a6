"""ModelGate: holds a model against the gates, the baselines and the served model; its decision blesses the model."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts

from components import artifacts
from components.decisions import bless, write_decision
from components.served_model import is_found, served_number
from components.splits import split_files
from interest_migration.errors import DataError
from interest_migration.evaluation.measures import SERVED, Measures
from interest_migration.gates.judge import judge
from interest_migration.gates.settings import GateSettings
from interest_migration.model.evaluated import evaluate_model, without_keys
from schemas.features import CUT_TIME

_BLESSED_FILES: Final = {True: constants.BLESSED_FILE_NAME, False: constants.NOT_BLESSED_FILE_NAME}


class _Executor(base_executor.BaseExecutor):
    """Judges, and writes decision and blessing."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        measures = add_served(
            Measures.read(Path(artifact_utils.get_single_uri(input_dict["comparison"]))),
            artifact_utils.get_single_instance(input_dict["served_model"]),
            split_files(artifact_utils.get_single_uri(input_dict["raw_examples"]), "test"),
        )
        decision = judge(measures, GateSettings.model_validate_json(exec_properties["gates"]))
        measures.write(write_decision(artifact_utils.get_single_instance(output_dict["decision"]), decision))
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        bless(blessing, decision.passed, constants.ARTIFACT_PROPERTY_BLESSED_KEY, _BLESSED_FILES)


def add_served(measures: Measures, served: types.Artifact, raw_files: list[str]) -> Measures:
    """Measures the served model, if there is one, on the same examples.

    One that cannot be measured, as from before a change of the signatures, is noted: rules that compare with it refuse.

    Args:
      measures: What `Comparison` wrote.
      served: What `ServedModel` found.
      raw_files: The raw examples of the table, in its order.
    """
    if not is_found(served):
        return measures
    about = replace(measures.about, served_version=served_number(served))
    try:
        columns = evaluate_model(served.uri, raw_files, SERVED)
    except DataError as error:
        return measures.with_values({}, replace(about, served_note=str(error)))
    if not np.array_equal(columns[CUT_TIME], measures.times_s):
        raise DataError(f"expected the examples of the comparison, received others from {', '.join(raw_files)}")
    return measures.with_values(without_keys(columns), about)


class _Spec(component_spec.ComponentSpec):
    """Parameters, inputs and outputs of `ModelGate`."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "gates": component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "comparison": component_spec.ChannelParameter(type=artifacts.Comparison),
        "raw_examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "served_model": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {  # noqa: RUF012
        "decision": component_spec.ChannelParameter(type=artifacts.Decision),
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class ModelGate(base_component.BaseComponent):
    """Decides whether a model may be served.

    Outputs: `decision`, with `decision.json` and the `measures.parquet` that was judged; `blessing`, what a Pusher asks
    for.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)

    def __init__(
        self,
        *,
        comparison: types.BaseChannel,
        raw_examples: types.BaseChannel,
        served_model: types.BaseChannel,
        gates: str,
        code: str,
    ) -> None:
        """Makes the component.

        Args:
          comparison: What `Comparison` measured.
          raw_examples: The examples it was measured on, as models of other runs can read them.
          served_model: What `ServedModel` found.
          gates: `GateSettings` as JSON.
          code: Digest of the code that judges; only part of the cache key.
        """
        super().__init__(
            _Spec(
                comparison=comparison,
                raw_examples=raw_examples,
                served_model=served_model,
                gates=gates,
                code=code,
                decision=types.Channel(type=artifacts.Decision),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
