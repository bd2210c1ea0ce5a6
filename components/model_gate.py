"""ModelGate: holds the measures of a model against the gates; its decision is what blesses the model."""

from pathlib import Path
from typing import Any, Final

from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts

from components import artifacts
from interest_migration.evaluation.measures import Measures
from interest_migration.gates.decision import Decision
from interest_migration.gates.judge import judge
from interest_migration.gates.settings import GateSettings

DECISION_FILE: Final = "decision.json"
"""`interest_migration.gates.decision.Decision` as JSON."""


class _Executor(base_executor.BaseExecutor):
    """Judges, and writes decision and blessing."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        measures = Measures.read(Path(artifact_utils.get_single_uri(input_dict["comparison"])))
        decision = judge(measures, GateSettings.model_validate_json(exec_properties["gates"]))
        folder = Path(artifact_utils.get_single_uri(output_dict["decision"]))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DECISION_FILE).write_text(decision.to_text(), encoding="utf-8")
        _bless(artifact_utils.get_single_instance(output_dict["blessing"]), decision)


def _bless(blessing: types.Artifact, decision: Decision) -> None:
    """Marks the blessing as TFX's Pusher reads it."""
    names = {True: constants.BLESSED_FILE_NAME, False: constants.NOT_BLESSED_FILE_NAME}
    values = {True: constants.BLESSED_VALUE, False: constants.NOT_BLESSED_VALUE}
    folder = Path(blessing.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[decision.passed]).touch()
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, values[decision.passed])


class _Spec(component_spec.ComponentSpec):
    """Parameters, inputs and outputs of `ModelGate`."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "gates": component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {"comparison": component_spec.ChannelParameter(type=artifacts.Comparison)}  # noqa: RUF012
    OUTPUTS = {  # noqa: RUF012
        "decision": component_spec.ChannelParameter(type=artifacts.Decision),
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class ModelGate(base_component.BaseComponent):
    """Decides whether a model may be served.

    Outputs: `decision`, with `decision.json`; `blessing`, what a Pusher asks for.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)

    def __init__(self, *, comparison: types.BaseChannel, gates: str, code: str) -> None:
        """Makes the component.

        Args:
          comparison: What `Comparison` measured.
          gates: `GateSettings` as JSON.
          code: Digest of the code that judges; only part of the cache key.
        """
        super().__init__(
            _Spec(
                comparison=comparison,
                gates=gates,
                code=code,
                decision=types.Channel(type=artifacts.Decision),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
