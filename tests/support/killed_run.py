"""Kills a run in the middle of each of its steps, one after the other, and lets the last one end.

    python killed_run.py CONFIG STEP STEP ...

Each attempt is a fork of this process, which has imported everything and started nothing. It dies as soon as the step
has written its first file, or at the latest before its result is recorded. Prints the output of the last attempt.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfx.orchestration.portable.launcher import Launcher

from pipeline.cli import main


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_first_file(folders: list[Path]) -> None:
    while True:
        if any(path.is_file() for folder in folders for path in folder.rglob("*")):
            die()
        time.sleep(0.001)


def deadly(run_executor: Callable[..., Any], victim: str) -> Callable[..., Any]:
    def run(launcher: Launcher, execution: Any) -> Any:
        if launcher._pipeline_node.node_info.id != victim:
            return run_executor(launcher, execution)
        folders = [Path(artifact.uri) for outputs in execution.output_dict.values() for artifact in outputs]
        threading.Thread(target=die_at_first_file, args=(folders,), daemon=True).start()
        run_executor(launcher, execution)
        return die()

    return run


def attempt(config: str, victim: str | None) -> int:
    """Returns the wait status of one attempt."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    if victim:
        Launcher._run_executor = deadly(Launcher._run_executor, victim)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    main(["run", "--config", config, "--json"])
    return 1


if __name__ == "__main__":
    path, *victims = sys.argv[1:]
    for step in victims:
        if attempt(path, step) != signal.SIGKILL:
            sys.exit(f"{step} was not killed")
    sys.exit(os.waitstatus_to_exitcode(attempt(path, None)))
