"""Runs compiled pipelines as open-source Kubeflow Pipelines would, without Kubernetes.

    cluster = Cluster(folder)
    run = cluster.run(Path("pipeline.yaml").read_text(), {"span": 7})
    run.state, run.tasks["Trainer"].state, run.tasks["Trainer"].log

`kfp_checks` plays API server and compiler, `kfp_driver` the driver, `kfp_pods` launcher and pods, `kfp_metadata` the
metadata store and the cache. Volumes are folders at their mount paths, so a test mounts below its own folder.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from kfp_checks import RejectedError, Spec, is_exit, parse, producers
from kfp_driver import LOGS, Graph, make_input, resolve_parameters
from kfp_metadata import MetadataStore, cache_key
from kfp_pods import Launcher, Processes, local_path


@dataclass(frozen=True)
class Task:
    """A task that has ended.

    Attributes:
      state: `COMPLETE`, `CACHED` or `FAILED`.
      log: What its container said; the last attempt's.
      attempts: Number of containers that were started.
      outputs: Output -> `RuntimeArtifact`.
    """

    state: str
    log: Path
    attempts: int
    outputs: dict[str, Spec]


@dataclass
class Run:
    """A run that has ended.

    Attributes:
      name: Its id.
      state: `SUCCEEDED` or `FAILED`.
      tasks: Containers that were started or answered from the cache, in order.
    """

    name: str
    state: str
    tasks: dict[str, Task]


@dataclass
class Cluster:
    """A cluster with nothing in it.

    Attributes:
      folder: Holds object store and pods.
      processes: Starts containers.
      secrets: Secret -> key -> value.
      store: Metadata and cache.
    """

    folder: Path
    processes: Processes
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    store: MetadataStore = field(default_factory=MetadataStore)

    def run(self, text: str, parameters: dict[str, Any] | None = None) -> Run:
        """Uploads a compiled pipeline and runs it to its end.

        Raises:
          RejectedError: If the backend would not start it.
        """
        spec, platform = parse(text)
        run = _RunUnderWay(self, spec, platform)
        defined = spec["root"].get("inputDefinitions", {}).get("parameters", {})
        if unknown := set(parameters or {}) - set(defined):
            raise RejectedError(f"parameter(s) provided are not required by pipeline: {sorted(unknown)}")
        values = {name: entry.get("defaultValue") for name, entry in defined.items()} | (parameters or {})
        if missing := [name for name, value in values.items() if value is None]:
            raise RejectedError(f"parameters are not optional, yet have no value: {missing}")
        state = run.run_graph(spec["root"], Graph(values))
        return Run(run.name, "SUCCEEDED" if state == "COMPLETE" else "FAILED", run.tasks)

    def path(self, uri: str) -> Path:
        """Returns where the object store has an address."""
        return local_path(self.folder / "store", uri)


class _RunUnderWay:
    def __init__(self, cluster: Cluster, spec: Spec, platform: Spec) -> None:
        self.name = str(uuid4())
        self.tasks: dict[str, Task] = {}
        self._cluster, self._spec = cluster, spec
        executors = platform.get("platforms", {}).get("kubernetes", {}).get("deploymentSpec", {})
        self._configs = executors.get("executors", {})
        pods = cluster.folder / "pods" / self.name
        self._launcher = Launcher(cluster.folder / "store", pods, cluster.processes, cluster.secrets)
        self._known = {
            "{{$.pipeline_job_uuid}}": self.name,
            "{{$.pipeline_job_name}}": spec["pipelineInfo"]["name"],
            "{{$.pipeline_job_resource_name}}": f"run-{self.name}",
            "{{$.pipeline_job_create_time_utc}}": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def run_graph(self, component: Spec, graph: Graph) -> str:
        """Runs tasks whose predecessors have succeeded; then exit handlers, whatever has happened."""
        tasks = component["dag"]["tasks"]
        for name in _order(tasks):
            task = tasks[name]
            before = {*task.get("dependentTasks", ()), *producers(task)}
            done = all(graph.states.get(other) in ("COMPLETE", "CACHED") for other in before)
            if done or is_exit(task):
                graph.states[name] = self._run_task(name, task, graph)
        succeeded = all(graph.states.get(name) in ("COMPLETE", "CACHED") for name in tasks)
        return "COMPLETE" if succeeded else "FAILED"

    def _run_task(self, name: str, task: Spec, graph: Graph) -> str:
        component = self._spec["components"][task["componentRef"]["name"]]
        values = resolve_parameters(task, component, graph, self._known, f"run-{self.name}")
        if "dag" in component:
            return self.run_graph(component, Graph(values))
        label = component["executorLabel"]
        container, config = self._spec["deploymentSpec"]["executors"][label]["container"], self._configs.get(label, {})
        for mount in config.get("pvcMount", ()):
            Path(mount["mountPath"]).mkdir(parents=True, exist_ok=True)
        root = self._spec["defaultPipelineRoot"].rstrip("/")
        place = f"{root}/{self._spec['pipelineInfo']['name']}/{self.name}/{name}"
        given = make_input(task, component, graph, self._cluster.store, values, place)
        key = cache_key(given, container, [mount["constant"] for mount in config.get("pvcMount", ())])
        cached = self._cluster.store.cache.get(key) if task.get("cachingOptions", {}).get("enableCache") else None
        if cached is not None:
            return self._end(name, "CACHED", cached, 0, graph)
        attempts, answer = 0, None
        while answer is None and attempts <= task.get("retryPolicy", {}).get("maxRetryCount", 0):
            attempts += 1
            labels = {"metadata.labels['pipeline/runid']": self.name}
            answer = self._launcher.launch(f"{name}-{attempts}", given, container, config, labels)
        if answer is None:
            return self._end(name, "FAILED", {}, attempts, graph)
        outputs = given["outputs"]["artifacts"].items()
        written = {output: found["artifacts"][0] for output, found in outputs if output != LOGS}
        numbers = {output: self._cluster.store.record(output, artifact) for output, artifact in written.items()}
        graph.values[name] = answer.get("parameterValues", {})
        self._cluster.store.cache[key] = numbers
        return self._end(name, "COMPLETE", numbers, attempts, graph)

    def _end(self, name: str, state: str, numbers: dict[str, int], attempts: int, graph: Graph) -> str:
        graph.outputs[name] = numbers
        outputs = {output: self._cluster.store.artifacts[number] for output, number in numbers.items()}
        log = self._launcher.pods / f"{name}-{attempts}.log"
        self.tasks[name] = Task(state, log, attempts, outputs)
        return state


def _order(tasks: Spec) -> Iterator[str]:
    """Yields tasks after those that they depend on, exit handlers last."""
    left = {name: {*task.get("dependentTasks", ()), *producers(task)} for name, task in sorted(tasks.items())}
    while left:
        ready = [name for name, before in left.items() if not before & set(left)]
        if not ready:
            raise RejectedError(f"a cycle of tasks: {sorted(left)}")
        for name in sorted(ready, key=lambda name: is_exit(tasks[name])):
            yield name
            del left[name]
