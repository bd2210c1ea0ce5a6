"""Repairs what TFX's compiler writes and the open-source backend of Kubeflow Pipelines rejects or leaves out.

Each repair changes the pipeline spec, a plain dictionary, in place; docs/kubeflow_compiled.md lists the defects.
"""

from collections.abc import Iterator
from typing import Any, Final

from interest_migration.errors import ContractError

Spec = dict[str, Any]

SCHEMA_VERSION: Final = "2.1.0"
DAG: Final = "tfx-dag"
"""Task and component that TFX makes for all steps, apart from the exit handler."""

_SUFFIX: Final = "_task"
_UI_PREFIX: Final = "system."


def repair(spec: Spec) -> None:
    """Applies all repairs.

    Raises:
      ContractError: If the pipeline holds what no repair makes acceptable.
    """
    spec["schemaVersion"] = SCHEMA_VERSION
    for executor in spec["deploymentSpec"]["executors"].values():
        executor.get("container", {}).pop("lifecycle", None)
    for tasks in all_tasks(spec):
        _repair_producers(tasks)
    for component in spec["components"].values():
        _name_ui_types(component)
    refuse_unsupported(spec)


def all_tasks(spec: Spec) -> Iterator[dict[str, Any]]:
    """Yields name -> task of every graph, the outermost first."""
    yield spec["root"]["dag"]["tasks"]
    yield from (component["dag"]["tasks"] for component in spec["components"].values() if "dag" in component)


def refuse_unsupported(spec: Spec) -> None:
    """Checks that nothing is left that the backend cannot run.

    Raises:
      ContractError: For steps that are no containers, conditions and tasks that nobody makes.
    """
    for label, executor in spec["deploymentSpec"]["executors"].items():
        if set(executor) != {"container"}:
            raise ContractError(f"expected steps that run in containers, received {label}: {', '.join(executor)}")
    for tasks in all_tasks(spec):
        for name, task in tasks.items():
            if "condition" in task.get("triggerPolicy", {}):
                raise ContractError(f"expected steps without conditions, received one for {name}")
            missing = set(task.get("dependentTasks", ())) - set(tasks)
            if missing:
                raise ContractError(f"expected steps of the pipeline before {name}, received {', '.join(missing)}")


def _repair_producers(tasks: dict[str, Any]) -> None:
    """TFX appends `_task` to the producer of a parameter, and no task has that name."""
    for task in tasks.values():
        for parameter in task.get("inputs", {}).get("parameters", {}).values():
            source = parameter.get("taskOutputParameter")
            if source and source["producerTask"] not in tasks:
                source["producerTask"] = source["producerTask"].removesuffix(_SUFFIX)


def _name_ui_types(component: Spec) -> None:
    """The UI knows its own types by title and version; TFX writes a schema of its own instead."""
    for side in ("inputDefinitions", "outputDefinitions"):
        for artifact in component.get(side, {}).get("artifacts", {}).values():
            title = artifact["artifactType"].get("instanceSchema", "").partition("title: ")[2].partition("\n")[0]
            if title.startswith(_UI_PREFIX):
                artifact["artifactType"] = {"schemaTitle": title, "schemaVersion": "0.0.1"}
