"""What the open-source backend of Kubeflow Pipelines (2.17) rejects when a pipeline is uploaded or a run is compiled.

Read from kubeflow/pipelines at 7b70c7b: apiserver/template/v2_template.go, v2/compiler, v2/driver. Fields that it
ignores, though TFX writes them, are rejected too: whoever sets them believes that they do something.
"""

import re
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2 as kubernetes
from kfp.pipeline_spec import pipeline_spec_pb2 as kfp

Spec = dict[str, Any]

CONSTANTS = {
    "{{$.pipeline_job_name}}",
    "{{$.pipeline_job_resource_name}}",
    "{{$.pipeline_job_uuid}}",
    "{{$.pipeline_task_name}}",
    "{{$.pipeline_task_uuid}}",
    "{{$.pipeline_job_create_time_utc}}",
    "{{$.pipeline_job_schedule_time_utc}}",
}
"""Placeholders that the driver fills in, where they are the whole of a constant."""

_ARGUMENT = re.compile(
    r"\{\{\$\}\}|\{\{\$\.(inputs|outputs)\.(artifacts|parameters)\['[^']+'\](\.(uri|path|output_file))?\}\}"
)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
KINDS = {
    "STRING": str,
    "NUMBER_INTEGER": (int, float),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": bool,
    "LIST": list,
    "STRUCT": dict,
}
_LONGEST_ARGUMENT = 131_072  # of one argument of a Linux process


class RejectedError(Exception):
    """The backend would not take this."""


def parse(text: str) -> tuple[Spec, Spec]:
    """Returns pipeline spec and platform spec of an uploaded file, both checked."""
    documents = [document for document in yaml.safe_load_all(text) if document is not None]
    specs = [document for document in documents if "pipelineInfo" in document]
    platforms = [document for document in documents if "platforms" in document]
    if len(specs) != 1 or len(platforms) > 1 or len(documents) != len(specs) + len(platforms):
        raise RejectedError("expected one pipeline spec and at most one platform spec")
    platform = platforms[0] if platforms else {}
    check_pipeline(specs[0])
    check_platform(platform, specs[0])
    return specs[0], platform


def check_pipeline(spec: Spec) -> None:
    try:
        json_format.ParseDict(spec, kfp.PipelineSpec())
        json_format.ParseDict(spec["deploymentSpec"], kfp.PipelineDeploymentConfig())
    except json_format.ParseError as error:
        raise RejectedError(f"invalid v2 pipeline spec: {error}") from error
    if spec.get("schemaVersion") != "2.1.0":
        raise RejectedError(f"KFP only supports schema version 2.1.0, received {spec.get('schemaVersion')}")
    if not _NAME.fullmatch(spec["pipelineInfo"]["name"]):
        raise RejectedError(f"invalid name {spec['pipelineInfo']['name']}")
    for label, executor in spec["deploymentSpec"]["executors"].items():
        _check_executor(label, executor)
    _check_dag("root", spec["root"], spec)


def _check_executor(label: str, executor: Spec) -> None:
    if set(executor) != {"container"}:
        raise RejectedError(f"{label}: executors {sorted(executor)} are not implemented")
    container = executor["container"]
    if "lifecycle" in container:
        raise RejectedError(f"{label}: container lifecycle is ignored")
    if not container.get("image") or not container.get("command"):
        raise RejectedError(f"{label}: expected image and command")
    old = {"cpuLimit", "memoryLimit", "cpuRequest", "memoryRequest"} & set(container.get("resources", {}))
    if old:
        raise RejectedError(f"{label}: deprecated resources {sorted(old)}")
    for argument in (*container["command"], *container.get("args", ())):
        if len(argument) > _LONGEST_ARGUMENT:
            raise RejectedError(f"{label}: an argument of {len(argument)} bytes")
        if "{{$" in _ARGUMENT.sub("", argument):
            raise RejectedError(f"{label}: unknown placeholder in {argument[:200]}")


def _check_dag(name: str, component: Spec, spec: Spec) -> None:
    tasks = component["dag"]["tasks"]
    known = component.get("inputDefinitions", {}).get("parameters", {})
    for parameter, definition in known.items():
        _check_parameter(f"{name}.{parameter}", definition)
    for task_name, task in tasks.items():
        _check_task(task_name, task, tasks, known, spec)
    if all(is_exit(task) for task in tasks.values()):
        raise RejectedError(f"DAG {name} must contain one or more non-exit tasks")


def _check_task(name: str, task: Spec, tasks: Spec, known: Spec, spec: Spec) -> None:
    component = spec["components"].get(task.get("componentRef", {}).get("name", ""))
    if component is None:
        raise RejectedError(f"component spec for {name} not found")
    for producer in {*task.get("dependentTasks", ()), *producers(task)}:
        if producer not in tasks:
            raise RejectedError(f"{name}: unknown producer task {producer} in DAG")
    if "condition" in task.get("triggerPolicy", {}):
        raise RejectedError(f"{name}: conditions are not evaluated here")
    defined = component.get("inputDefinitions", {})
    inputs = task.get("inputs", {})
    for side in ("parameters", "artifacts"):
        if set(inputs.get(side, {})) - set(defined.get(side, {})):
            raise RejectedError(f"{name}: {side} that the component does not define")
    missing = {
        parameter
        for parameter, definition in defined.get("parameters", {}).items()
        if not definition.get("isOptional") and "defaultValue" not in definition
    } - set(inputs.get("parameters", {}))
    if missing:
        raise RejectedError(f"{name}: neither value nor default value for {sorted(missing)}")
    for parameter, source in inputs.get("parameters", {}).items():
        _check_source(f"{name}.{parameter}", source, task, known)
    if "dag" in component:
        _check_dag(name, component, spec)
    elif component.get("executorLabel") not in spec["deploymentSpec"]["executors"]:
        raise RejectedError(f"{name}: executor with label {component.get('executorLabel')} not found")


def _check_source(where: str, source: Spec, task: Spec, known: Spec) -> None:
    if "componentInputParameter" in source and source["componentInputParameter"] not in known:
        raise RejectedError(f"{where}: parent DAG does not have input parameter {source['componentInputParameter']}")
    if "runtimeValue" in source:
        if set(source["runtimeValue"]) != {"constant"}:
            raise RejectedError(f"{where}: param runtime value spec not implemented")
        constant = source["runtimeValue"]["constant"]
        if isinstance(constant, str) and "{{$" in constant and constant not in CONSTANTS:
            raise RejectedError(f"{where}: a placeholder that nobody fills in: {constant[:200]}")
    if "taskFinalStatus" in source and not (is_exit(task) and task.get("dependentTasks")):
        raise RejectedError(f"{where}: the final status is for exit handlers that depend on a task")


def _check_parameter(where: str, definition: Spec) -> None:
    kind = definition.get("parameterType")
    if kind not in KINDS:
        raise RejectedError(f"{where}: input parameter has type {kind}")
    if "defaultValue" in definition and not isinstance(definition["defaultValue"], KINDS[kind]):
        raise RejectedError(f"{where}: requires {kind}, the default is {definition['defaultValue']!r}")


def check_platform(platform: Spec, spec: Spec) -> None:
    configs = platform.get("platforms", {}).get("kubernetes", {}).get("deploymentSpec", {}).get("executors", {})
    for label, values in configs.items():
        if label not in spec["deploymentSpec"]["executors"]:
            raise RejectedError(f"platform: no executor {label}")
        try:
            json_format.ParseDict(values, kubernetes.KubernetesExecutorConfig())
        except json_format.ParseError as error:
            raise RejectedError(f"platform: {label}: {error}") from error
        volumes = [mount["constant"] for mount in values.get("pvcMount", ())]
        if len(volumes) != len(set(volumes)):
            raise RejectedError(f"platform: {label}: a volume twice")


def producers(task: Spec) -> set[str]:
    """Returns the tasks that a task takes something from."""
    inputs = task.get("inputs", {})
    found = [source.get("taskOutputArtifact") for source in inputs.get("artifacts", {}).values()]
    found += [source.get("taskOutputParameter") for source in inputs.get("parameters", {}).values()]
    return {source["producerTask"] for source in found if source}


def is_exit(task: Spec) -> bool:
    """Returns whether a task runs whatever has happened before."""
    return bool(task.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED")
