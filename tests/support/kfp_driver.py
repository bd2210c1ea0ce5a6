"""The backend's driver: makes the `ExecutorInput` of a task."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from kfp_checks import KINDS, RejectedError
from kfp_metadata import MetadataStore

Spec = dict[str, Any]
LOGS = "executor-logs"


@dataclass
class Graph:
    """A graph of tasks under way.

    Attributes:
      parameters: Values of its inputs.
      outputs: Task -> output -> number of the artifact.
      values: Task -> output parameter -> value.
      states: Task -> `COMPLETE`, `CACHED` or `FAILED`; others have not run.
    """

    parameters: Spec
    outputs: dict[str, dict[str, int]] = field(default_factory=dict)
    values: dict[str, Spec] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)


def resolve_parameters(task: Spec, component: Spec, graph: Graph, run: Spec, run_name: str) -> Spec:
    """Returns the values of a task's parameters."""
    kinds = component.get("inputDefinitions", {}).get("parameters", {})
    values = {
        name: _resolve(source, task, graph, run, run_name)
        for name, source in task.get("inputs", {}).get("parameters", {}).items()
    }
    return {name: _convert(name, value, kinds[name]["parameterType"]) for name, value in values.items()}


def make_input(task: Spec, component: Spec, graph: Graph, store: MetadataStore, parameters: Spec, place: str) -> Spec:
    """Returns the `ExecutorInput` of a container.

    Args:
      task: The task.
      component: Its component.
      graph: What has run.
      store: Artifacts.
      parameters: Values of its parameters.
      place: Address below which its outputs lie, without a salt.
    """
    sources = task.get("inputs", {}).get("artifacts", {})
    found = {name: source["taskOutputArtifact"] for name, source in sources.items()}
    artifacts = {
        name: {"artifacts": [store.input(graph.outputs[source["producerTask"]][source["outputArtifactKey"]])]}
        for name, source in found.items()
    }
    root = f"{place}/{uuid4()}"
    declared = component.get("outputDefinitions", {})
    outputs = {
        name: {"artifacts": [_output(name, root, entry["artifactType"], entry.get("metadata", {}))]}
        for name, entry in declared.get("artifacts", {}).items()
    }
    outputs[LOGS] = {"artifacts": [_output(LOGS, root, {"schemaTitle": "system.Artifact"}, {})]}
    parameters_out = {name: {"outputFile": f"/tmp/kfp/outputs/{name}"} for name in declared.get("parameters", {})}
    return {
        "inputs": {"parameterValues": parameters, "artifacts": artifacts},
        "outputs": {"artifacts": outputs, "parameters": parameters_out, "outputFile": f"{root}/output_metadata.json"},
    }


def _output(name: str, root: str, kind: Spec, metadata: Spec) -> Spec:
    return {"name": name, "uri": f"{root}/{name}", "type": kind, "metadata": metadata}


def _resolve(source: Spec, task: Spec, graph: Graph, run: Spec, run_name: str) -> Any:
    if "componentInputParameter" in source:
        return graph.parameters[source["componentInputParameter"]]
    if "taskOutputParameter" in source:
        producer = source["taskOutputParameter"]
        return graph.values[producer["producerTask"]][producer["outputParameterKey"]]
    if "taskFinalStatus" in source:
        producer = task["dependentTasks"][0]
        return {
            "state": graph.states[producer],
            "pipelineTaskName": producer,
            "pipelineJobResourceName": run_name,
            "error": {},
        }
    constant = source["runtimeValue"]["constant"]
    return run.get(constant, constant) if isinstance(constant, str) else constant


def _convert(name: str, value: Any, kind: str) -> Any:
    if kind == "STRING":
        return value if isinstance(value, str) else json.dumps(value)
    if not isinstance(value, KINDS[kind]):
        raise RejectedError(f"input parameter {name} type mismatch: expect {kind}, got {value!r}")
    return value
