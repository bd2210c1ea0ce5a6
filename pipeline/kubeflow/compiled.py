"""A compiled pipeline: two YAML documents and the defaults of its parameters."""

from dataclasses import dataclass
from typing import Any

import yaml

from pipeline.kubeflow.parameters import Value
from pipeline.kubeflow.repairs import Spec
from pipeline.kubeflow.resources import named_tasks


@dataclass(frozen=True)
class Compiled:
    """A compiled pipeline.

    Attributes:
      pipeline_spec: `PipelineSpec` as plain values.
      platform_spec: `PlatformSpec` as plain values.
      parameters: Runtime parameter -> default.
      notes: What a person should know, one sentence each.
    """

    pipeline_spec: Spec
    platform_spec: Spec
    parameters: dict[str, Value]
    notes: tuple[str, ...] = ()

    def to_yaml(self) -> str:
        """Returns both documents, as the client and the UI of Kubeflow take them."""
        return yaml.safe_dump_all([self.pipeline_spec, self.platform_spec], sort_keys=True, allow_unicode=True)

    def describe(self) -> dict[str, Any]:
        """Returns what was compiled, as plain values."""
        steps = {name: bool(task["cachingOptions"]) for name, task in named_tasks(self.pipeline_spec)}
        return {
            "pipeline": self.pipeline_spec["pipelineInfo"]["name"],
            "parameters": self.parameters,
            "steps": {name: {"cached": cached} for name, cached in steps.items()},
            "notes": list(self.notes),
        }
