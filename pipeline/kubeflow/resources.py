"""What steps get of the cluster, in the pipeline spec: image, limits, devices, environment, caching, restarts."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubernetes.utils.quantity import parse_quantity

from interest_migration.errors import ConfigError
from pipeline.kubeflow.repairs import Spec, all_tasks
from pipeline.kubeflow.settings import KubeflowSettings, Retries, StepSettings

NEVER_CACHED: Final = frozenset({"ServedModel", "BaseModel", "Pusher", "RunReport", "Verdict", "TellVerdict"})
"""What they find or change lies outside of Kubeflow, or belongs to one run: no inputs can tell that it is the same."""


def give_resources(
    spec: Spec, settings: KubeflowSettings, environment: Mapping[str, str], uncached: frozenset[str] = frozenset()
) -> None:
    """Writes the settings of every step into a pipeline spec, in place.

    Args:
      spec: The repaired pipeline spec.
      settings: Per step.
      environment: Variables that every step gets; those of the settings win.
      uncached: Steps that are never cached, besides those that never are.

    Raises:
      ConfigError: If settings name a step that the pipeline has not, or ask for more than their limit.
    """
    tasks = dict(named_tasks(spec))
    unknown = sorted(set(settings.steps) - set(tasks))
    if unknown:
        raise ConfigError(
            f"kubeflow.steps: expected steps of the pipeline ({', '.join(sorted(tasks))}), "
            f"received {', '.join(unknown)}"
        )
    for name, task in tasks.items():
        step = settings.step(name)
        _check_requests(name, step)
        _fill_container(executor_of(spec, name)["container"], step, environment)
        _fill_task(task, step, cached=step.cache and name not in NEVER_CACHED | uncached)


def named_tasks(spec: Spec) -> Iterator[tuple[str, Spec]]:
    """Yields the steps that run in containers."""
    for tasks in all_tasks(spec):
        for name, task in tasks.items():
            if "executorLabel" in spec["components"][task["componentRef"]["name"]]:
                yield name, task


def executor_of(spec: Spec, component: str) -> Spec:
    """Returns the executor of a component."""
    executor: Spec = spec["deploymentSpec"]["executors"][spec["components"][component]["executorLabel"]]
    return executor


def _check_requests(name: str, step: StepSettings) -> None:
    """Kubernetes starts no pod that reserves more than its limit; a step's own limit may meet the request of all."""
    for what, request, limit in (("cpu", step.cpu_request, step.cpu), ("memory", step.memory_request, step.memory)):
        if request and limit and parse_quantity(request) > parse_quantity(limit):
            raise ConfigError(
                f"kubeflow.steps.{name}.{what}_request: expected at most the limit {limit}, received {request}"
            )


def _fill_container(container: Spec, step: StepSettings, environment: Mapping[str, str]) -> None:
    if step.image:
        container["image"] = step.image
    resources = {
        "resourceCpuLimit": step.cpu,
        "resourceCpuRequest": step.cpu_request,
        "resourceMemoryLimit": step.memory,
        "resourceMemoryRequest": step.memory_request,
        "accelerator": step.accelerator
        and {"resourceType": step.accelerator.type, "resourceCount": str(step.accelerator.count)},
    }
    given = {name: value for name, value in resources.items() if value is not None}
    if given:
        container["resources"] = given
    container["env"] = [{"name": name, "value": value} for name, value in {**environment, **step.environment}.items()]


def _fill_task(task: Spec, step: StepSettings, *, cached: bool) -> None:
    task["cachingOptions"] = {"enableCache": True} if cached else {}
    if step.retries.count:
        task["retryPolicy"] = _retry_policy(step.retries)


def _retry_policy(retries: Retries) -> dict[str, Any]:
    return {
        "maxRetryCount": retries.count,
        "backoffDuration": f"{retries.wait_seconds}s",
        "backoffFactor": retries.factor,
        "backoffMaxDuration": f"{retries.longest_wait_seconds}s",
    }
