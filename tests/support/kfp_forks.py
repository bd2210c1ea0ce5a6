"""Runs containers' commands as forks of one process that has imported what they all import.

Reads one request per line, `{"command": ["python", "-m", MODULE, ...], "environment": ..., "folder": ..., "log": ...}`,
and answers with its exit code. A fork executes exactly the module and the arguments of the command, in a folder, with
an environment and an output file of its own.
"""

import json
import os
import runpy
import sys
from pathlib import Path

import pipeline.graph  # noqa: F401 - imported for the forks
from components import report_artifacts, run_report  # noqa: F401
from pipeline.kubeflow import compile as compiler  # noqa: F401
from pipeline.kubeflow import entrypoint  # noqa: F401


def run_command(command: list[str], environment: dict[str, str], folder: str, log: str) -> int:
    """Runs a command in a fork; returns its exit code."""
    child = os.fork()
    if child == 0:
        os._exit(_be_container(command, environment, folder, log))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _be_container(command: list[str], environment: dict[str, str], folder: str, log: str) -> int:
    with Path(log).open("w") as stream, Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = command[2:]
    sys.modules.pop(command[2], None)
    code: object = 0
    try:
        runpy.run_module(command[2], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else 0 if code is None else 1


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(f"{run_command(**json.loads(line))}\n")
