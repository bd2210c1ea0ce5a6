"""Watches a run on Kubeflow until it ends."""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from interest_migration.errors import InterestMigrationError
from pipeline.kubeflow.api import ApiUnavailableError, PipelinesApi
from pipeline.kubeflow.verdict import ENDED, EXIT_HANDLER, FAILED, Verdict, infer_verdict, read_verdict

_STEP_ENDS: Final = {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED", "CACHED", "OMITTED"}


@dataclass(frozen=True)
class Watch:
    """How a run is watched.

    Attributes:
      steps: Names of its steps, in order.
      poll_seconds: Between two looks.
      patience_seconds: How long the API may be away.
      fails_when_refused: Whether a run ends as failed if the model gate refuses.
      show: Receives one line for each step that ends.
      sleep: Waits; for tests.
      now: Seconds that only grow; for tests.
    """

    steps: tuple[str, ...]
    poll_seconds: float
    patience_seconds: float
    fails_when_refused: bool = False
    show: Callable[[str], None] = field(default=lambda _: None)
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic


def watch_run(api: PipelinesApi, run_id: str, watch: Watch) -> Verdict:
    """Waits for a run's end, and finds out its verdict.

    Raises:
      ConfigError: If the token expired meanwhile, or the run is gone. The run itself goes on.
      ApiUnavailableError: If the API was away for longer than the patience.
    """
    told: set[str] = set()
    while True:
        run = _look(api, run_id, watch)
        _tell(run, watch, told)
        if run.state in ENDED:
            break
        watch.sleep(watch.poll_seconds)
    tasks = _tasks(run)
    failed = [step for step in watch.steps if any(_is_step(task, step) and task.state == FAILED for task in tasks)]
    inferred = infer_verdict(run.state, failed, fails_when_refused=watch.fails_when_refused)
    return _ask_exit_handler(api, run_id, tasks) or inferred


def _look(api: PipelinesApi, run_id: str, watch: Watch) -> Any:
    start = watch.now()
    while True:
        try:
            return api.get_run(run_id)
        except ApiUnavailableError:
            if watch.now() - start >= watch.patience_seconds:
                raise
            watch.sleep(watch.poll_seconds)


def _tell(run: Any, watch: Watch, told: set[str]) -> None:
    for task in _tasks(run):
        step = next((step for step in watch.steps if _is_step(task, step)), None)
        if step and step not in told and task.state in _STEP_ENDS:
            told.add(step)
            watch.show(f"[{len(told):>2}/{len(watch.steps)}] {step} ... {_ending(task)}")


def _ending(task: Any) -> str:
    seconds = (task.end_time - task.start_time).total_seconds() if task.end_time and task.start_time else None
    if task.state == "SUCCEEDED":
        return "done" if seconds is None else f"{seconds:.1f} s"
    return str(task.state).lower()


def _ask_exit_handler(api: PipelinesApi, run_id: str, tasks: list[Any]) -> Verdict | None:
    """Reads the exit handler's log; what it asks may be forbidden or gone, and the states still say something."""
    for pod in _pods_below(tasks, EXIT_HANDLER):
        try:
            verdict = read_verdict(api.read_log(run_id, pod))
        except InterestMigrationError:
            continue
        if verdict:
            return verdict
    return None


def _pods_below(tasks: list[Any], step: str) -> Iterable[str]:
    """Yields the pods of a step and of what it consists of: its driver and its executor."""
    children = {task.task_id: task.child_tasks or [] for task in tasks}
    pods = {task.task_id: task.pod_name for task in tasks}
    waiting = [task.task_id for task in tasks if _is_step(task, step)]
    seen: set[str] = set()
    while waiting:
        task_id = waiting.pop()
        for pod in (pods.get(task_id), task_id):
            if pod and pod not in seen:
                seen.add(pod)
                yield pod
        for child in children.get(task_id, []):
            if child.pod_name and child.pod_name not in seen:
                seen.add(child.pod_name)
                yield child.pod_name
            if child.task_id and child.task_id not in seen:
                waiting.append(child.task_id)


def _tasks(run: Any) -> list[Any]:
    return list((run.run_details and run.run_details.task_details) or [])


def _is_step(task: Any, step: str) -> bool:
    """The backend shows `StatisticsGen` as `StatisticsGen`, `statisticsgen` or `statistics-gen`."""
    return _plain(task.display_name or "") == _plain(step)


def _plain(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())
