"""Evaluator: TFMA measures the model and the served one on the raw test split; the gates give the verdict."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any, Final

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.evaluator import constants, executor
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts, standard_component_specs
from tfx.utils import io_utils, path_utils

from components.batching import batches_by_size
from components.evaluation_results import count_known_labels, read_failures, read_missing_slices
from components.served_model import is_found, served_number
from interest_migration.gates.evaluation import build_eval_config
from interest_migration.gates.settings import SLICE_COLUMNS, GateSettings
from interest_migration.gates.verdict import Verdict, judge

VERDICT_FILE: Final = "verdict.json"
"""Beside the blessing: `interest_migration.gates.verdict.Verdict` as JSON."""

_SPLIT = "test"
_MODEL, _SERVED = standard_component_specs.MODEL_KEY, standard_component_specs.BASELINE_MODEL_KEY
_EXAMPLES, _SCHEMA = standard_component_specs.EXAMPLES_KEY, standard_component_specs.SCHEMA_KEY
_EVALUATION, _BLESSING = standard_component_specs.EVALUATION_KEY, standard_component_specs.BLESSING_KEY
Artifacts = dict[str, list[types.Artifact]]


class GatedExecutor(executor.Executor):
    """The stock executor, told by the gates what to measure; its blessing is replaced by the gates' verdict."""

    def Do(  # noqa: N802 - TFX's name
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Evaluates, judges, and marks the blessing."""
        gates = GateSettings.model_validate_json(exec_properties["gates"])
        served = input_dict.get(_SERVED) or []
        inputs = {name: artifacts for name, artifacts in input_dict.items() if name != _SERVED}
        if served and is_found(served[0]):
            inputs[_SERVED] = [self._in_trainer_layout(served[0])]
        inputs[_SCHEMA] = [self._narrow_schema(input_dict[_SCHEMA])]
        properties = {
            **exec_properties,
            standard_component_specs.EVAL_CONFIG_KEY: json.dumps(build_eval_config(gates)),
            standard_component_specs.EXAMPLE_SPLITS_KEY: json.dumps([_SPLIT]),
        }
        with batches_by_size():
            super().Do(inputs, output_dict, properties)
        evaluation = artifact_utils.get_single_uri(output_dict[_EVALUATION])
        number = served_number(served[0]) if _SERVED in inputs else None
        verdict = judge(
            gates,
            read_failures(evaluation),
            count_known_labels(evaluation),
            number,
            read_missing_slices(evaluation),
        )
        _bless(artifact_utils.get_single_instance(output_dict[_BLESSING]), verdict)

    def _in_trainer_layout(self, served: types.Artifact) -> types.Artifact:
        """TFX looks for a model's files in a subfolder of the artifact; a served version has none.

        It is copied, never linked: TFX empties the temporary folder afterwards, and follows links when it does.
        """
        artifact = copy.deepcopy(served)
        artifact.uri = str(Path(self._get_tmp_dir()) / "served")
        shutil.copytree(served.uri, path_utils.serving_model_dir(artifact.uri))
        return artifact

    def _narrow_schema(self, schemas: list[types.Artifact]) -> types.Artifact:
        """TFMA decodes, and takes apart per example, what the schema names; the model parses the rest itself.

        Not as ragged tensors, as the curated schema has them: taking those apart is 20 times slower.
        """
        path = io_utils.get_only_uri_in_dir(artifact_utils.get_single_uri(schemas))
        whole = io_utils.SchemaReader().read(path)
        narrow = schema_pb2.Schema(feature=[feature for feature in whole.feature if feature.name in SLICE_COLUMNS])
        artifact = standard_artifacts.Schema()
        artifact.uri = str(Path(self._get_tmp_dir()) / "slice-schema")
        io_utils.write_string_file(f"{artifact.uri}/schema.pbtxt", text_format.MessageToString(narrow))
        return artifact


def _bless(blessing: types.Artifact, verdict: Verdict) -> None:
    names = {True: constants.BLESSED_FILE_NAME, False: constants.NOT_BLESSED_FILE_NAME}
    values = {True: constants.BLESSED_VALUE, False: constants.NOT_BLESSED_VALUE}
    folder = Path(blessing.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[not verdict.blessed]).unlink(missing_ok=True)
    (folder / names[verdict.blessed]).touch()
    (folder / VERDICT_FILE).write_text(json.dumps(verdict.to_json(), indent=2), encoding="utf-8")
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, values[verdict.blessed])


class _Spec(component_spec.ComponentSpec):
    """Parameters, inputs and outputs of `Evaluator`."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "gates": component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        _EXAMPLES: component_spec.ChannelParameter(type=standard_artifacts.Examples),
        _MODEL: component_spec.ChannelParameter(type=standard_artifacts.Model),
        _SERVED: component_spec.ChannelParameter(type=standard_artifacts.Model),
        _SCHEMA: component_spec.ChannelParameter(type=standard_artifacts.Schema),
    }
    OUTPUTS = {  # noqa: RUF012
        _EVALUATION: component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        _BLESSING: component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class Evaluator(base_beam_component.BaseBeamComponent):
    """Measures a model, compares it with the served one and blesses it if every rule of the gates holds.

    Outputs: `evaluation`, TFMA's results; `blessing`, with `verdict.json`.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(GatedExecutor)

    def __init__(
        self,
        *,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        served_model: types.BaseChannel,
        schema: types.BaseChannel,
        gates: str,
        code: str,
    ) -> None:
        """Makes the component.

        Args:
          examples: Raw examples; the test split is evaluated.
          model: The candidate.
          served_model: What `ServedModel` found.
          schema: The curated schema.
          gates: `GateSettings` as JSON.
          code: Digest of the code that defines the metrics; only part of the cache key.
        """
        inputs = {_EXAMPLES: examples, _MODEL: model, _SERVED: served_model, _SCHEMA: schema}
        outputs = {
            _EVALUATION: types.Channel(type=standard_artifacts.ModelEvaluation),
            _BLESSING: types.Channel(type=standard_artifacts.ModelBlessing),
        }
        super().__init__(_Spec(gates=gates, code=code, **inputs, **outputs))
