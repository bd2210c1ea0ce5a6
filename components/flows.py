"""Flows: where the interests of the users in the examples move."""

from pathlib import Path
from typing import Any, Final

import tensorflow_transform as tft
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import io_utils

from components import artifacts
from interest_migration.flows.measure import measure_flows
from interest_migration.flows.observations import FEATURES, read_observations
from interest_migration.flows.settings import FlowSettings
from interest_migration.ragged import read_examples
from interest_migration.transform.vocabularies import CATEGORIES

FLOWS_FILE: Final = "flows.json"
"""`interest_migration.flows.results.Flows` as JSON."""


def read_categories(transform_graph: str) -> list[str]:
    """Returns the names of category ids 1, 2, ... of a Transform step's output."""
    names = tft.TFTransformOutput(transform_graph).vocabulary_by_name(CATEGORIES)
    return [name.decode("utf-8", "replace") for name in names]


class _Executor(base_executor.BaseExecutor):
    """Reads the examples of all splits and writes the flows."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        folder = Path(artifact_utils.get_single_uri(input_dict["examples"]))
        files = sorted(str(path) for path in folder.glob("Split-*/*"))
        observations = read_observations(
            read_examples(files, FEATURES),
            read_categories(artifact_utils.get_single_uri(input_dict["transform_graph"])),
            exec_properties["new_interest_days"],
        )
        settings = FlowSettings.model_validate_json(exec_properties["settings"])
        flows = measure_flows(observations, settings, exec_properties["seed"])
        uri = artifact_utils.get_single_uri(output_dict["flows"])
        io_utils.write_string_file(f"{uri}/{FLOWS_FILE}", flows.to_json())


class _Spec(component_spec.ComponentSpec):
    """Parameters, inputs and outputs of `Flows`."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "settings": component_spec.ExecutionParameter(type=str),
        "new_interest_days": component_spec.ExecutionParameter(type=float),
        "seed": component_spec.ExecutionParameter(type=int),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS = {"flows": component_spec.ChannelParameter(type=artifacts.Flows)}  # noqa: RUF012


class Flows(base_component.BaseComponent):
    """Measures what users turn to next, on the transformed examples of all splits.

    Outputs: `flows`, with `flows.json`.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)

    def __init__(
        self,
        *,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        settings: str,
        new_interest_days: float,
        seed: int,
        code: str,
    ) -> None:
        """Makes the component.

        Args:
          examples: Transformed examples.
          transform_graph: Names the categories.
          settings: `FlowSettings` as JSON.
          new_interest_days: As in `ExampleSettings`.
          seed: Seed of the intervals.
          code: Digest of the code that measures; only part of the cache key.
        """
        super().__init__(
            _Spec(
                examples=examples,
                transform_graph=transform_graph,
                settings=settings,
                new_interest_days=new_interest_days,
                seed=seed,
                code=code,
                flows=types.Channel(type=artifacts.Flows),
            )
        )
