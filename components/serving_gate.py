"""ServingGate: in place of TFX's InfraValidator, which needs Docker and does not run on Kubeflow Pipelines."""

from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import path_utils

from components import artifacts
from components.decisions import bless, write_decision
from components.splits import split_files
from interest_migration.serving.gate import judge_model
from interest_migration.serving.gate_settings import ServingGateSettings

_SPLIT = "test"
_BLESSED, _BLESSED_FILES = "blessed", {True: "INFRA_BLESSED", False: "INFRA_NOT_BLESSED"}
"""As TFX's InfraValidator marks its blessing, and the Pusher reads it."""


class _Executor(base_executor.BaseExecutor):
    """Judges, and writes decision and blessing."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        decision = judge_model(
            Path(path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["model"]))),
            split_files(artifact_utils.get_single_uri(input_dict["raw_examples"]), _SPLIT),
            split_files(artifact_utils.get_single_uri(input_dict["transformed_examples"]), _SPLIT),
            ServingGateSettings.model_validate_json(exec_properties["settings"]),
        )
        write_decision(artifact_utils.get_single_instance(output_dict["decision"]), decision)
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        bless(blessing, decision.passed, _BLESSED, _BLESSED_FILES)


class _Spec(component_spec.ComponentSpec):
    """Parameters, inputs and outputs of `ServingGate`."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "settings": component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "raw_examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transformed_examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {  # noqa: RUF012
        "decision": component_spec.ChannelParameter(type=artifacts.Decision),
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing),
    }


class ServingGate(base_component.BaseComponent):
    """Loads the exported model in a process of its own and replays real examples through every signature.

    Outputs: `decision`, with `decision.json`; `blessing`, what a Pusher asks for as `infra_blessing`.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)

    def __init__(
        self,
        *,
        model: types.BaseChannel,
        raw_examples: types.BaseChannel,
        transformed_examples: types.BaseChannel,
        settings: str,
        code: str,
    ) -> None:
        """Makes the component.

        Args:
          model: The candidate.
          raw_examples: Raw examples; those of the test split are replayed.
          transformed_examples: The same examples as Transform wrote them, which training and comparison read.
          settings: `ServingGateSettings` as JSON.
          code: Digest of the code that judges; only part of the cache key.
        """
        super().__init__(
            _Spec(
                model=model,
                raw_examples=raw_examples,
                transformed_examples=transformed_examples,
                settings=settings,
                code=code,
                decision=types.Channel(type=artifacts.Decision),
                blessing=types.Channel(type=standard_artifacts.InfraBlessing),
            )
        )
