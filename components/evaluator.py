"""Evaluator: TFMA measures the model by slice on the raw test split."""

import json
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.evaluator import executor
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts, standard_component_specs
from tfx.utils import io_utils

from components.batching import batches_by_size
from interest_migration.evaluation.measures import SLICE_COLUMNS

_SPLIT = "test"
_MODEL, _EXAMPLES = standard_component_specs.MODEL_KEY, standard_component_specs.EXAMPLES_KEY
_SCHEMA, _EVALUATION = standard_component_specs.SCHEMA_KEY, standard_component_specs.EVALUATION_KEY
_EVAL_CONFIG = standard_component_specs.EVAL_CONFIG_KEY


class SlicedExecutor(executor.Executor):
    """The stock executor on the test split, which reads no more of the raw examples than what they are sliced by."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates."""
        inputs = {**input_dict, _SCHEMA: [self._narrow_schema(input_dict[_SCHEMA])]}
        splits = {standard_component_specs.EXAMPLE_SPLITS_KEY: json.dumps([_SPLIT])}
        with batches_by_size():
            super().Do(inputs, output_dict, {**exec_properties, **splits})

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


class _Spec(component_spec.ComponentSpec):
    """Parameters, inputs and outputs of `Evaluator`."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        _EVAL_CONFIG: component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        _EXAMPLES: component_spec.ChannelParameter(type=standard_artifacts.Examples),
        _MODEL: component_spec.ChannelParameter(type=standard_artifacts.Model),
        _SCHEMA: component_spec.ChannelParameter(type=standard_artifacts.Schema),
    }
    OUTPUTS = {  # noqa: RUF012
        _EVALUATION: component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
    }


class Evaluator(base_beam_component.BaseBeamComponent):
    """Measures a model by slice.

    Outputs: `evaluation`, TFMA's results.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(SlicedExecutor)

    def __init__(
        self,
        *,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        schema: types.BaseChannel,
        eval_config: str,
        code: str,
    ) -> None:
        """Makes the component.

        Args:
          examples: Raw examples; the test split is evaluated.
          model: The candidate.
          schema: The curated schema.
          eval_config: `interest_migration.gates.evaluation.build_eval_config` as JSON.
          code: Digest of the code that defines the metrics; only part of the cache key.
        """
        inputs = {_EXAMPLES: examples, _MODEL: model, _SCHEMA: schema}
        evaluation = types.Channel(type=standard_artifacts.ModelEvaluation)
        super().__init__(_Spec(code=code, **{_EVAL_CONFIG: eval_config, _EVALUATION: evaluation}, **inputs))
