"""The backend's launcher and Kubernetes: every task gets an empty folder as its pod, and a folder is the object store.

A container's `/minio`, `/s3` and `/gcs` are folders of the pod; nothing of another pod is there. The command runs as a
process of its own: a fork of one that has imported TFX already, unless `KFP_PODS=subprocess` asks for a fresh one.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from kfp_driver import LOGS, Spec

REPOSITORY: Final = Path(__file__).parents[2]
_FOLDERS: Final = {"minio://": "minio", "s3://": "s3", "gs://": "gcs"}


def local_path(pod: Path, uri: str) -> Path:
    """Returns where a pod has an address of the object store."""
    scheme = next(scheme for scheme in _FOLDERS if uri.startswith(scheme))
    return pod / _FOLDERS[scheme] / uri.removeprefix(scheme)


@dataclass
class Processes:
    """Starts containers; use it as a context."""

    _server: subprocess.Popen[str] | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None and self._server.stdin is not None:
            self._server.stdin.close()
            self._server.wait(timeout=60)

    def run(self, command: list[str], environment: dict[str, str], folder: Path, log: Path) -> int:
        """Runs a command to its end; returns its exit code."""
        if os.environ.get("KFP_PODS") == "subprocess" or command[:2] != ["python", "-m"]:
            with log.open("w") as stream:
                return subprocess.run(
                    command, env=environment, cwd=folder, stdout=stream, stderr=stream, check=False
                ).returncode
        if self._server is None:
            self._server = _start_server()
        request = {"command": command, "environment": environment, "folder": str(folder), "log": str(log)}
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        assert answer, "the process that forks containers is gone"
        return int(answer)


def _start_server() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("kfp_forks.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )


@dataclass
class Launcher:
    """Runs containers.

    Attributes:
      store: Folder of the object store.
      pods: Folder of the pods.
      processes: Starts them.
      secrets: Secret -> key -> value.
    """

    store: Path
    pods: Path
    processes: Processes
    secrets: dict[str, dict[str, str]]

    def launch(
        self, name: str, executor_input: Spec, container: Spec, config: Spec, labels: dict[str, str]
    ) -> Spec | None:
        """Runs a container as its pod would; returns the `ExecutorOutput`, or None if it failed."""
        pod = self.pods / name
        (pod / "work").mkdir(parents=True)
        (pod / "tmp").mkdir()
        self._download(pod, executor_input)
        local = json.loads(json.dumps(executor_input))
        local["outputs"]["outputFile"] = str(local_path(pod, executor_input["outputs"]["outputFile"]))
        for artifact in _artifacts(executor_input["outputs"]):
            local_path(pod, artifact["uri"]).parent.mkdir(parents=True, exist_ok=True)
        command = [_fill(argument, local) for argument in (*container["command"], *container["args"])]
        code = self.processes.run(
            command, self._environment(pod, container, config, labels), pod / "work", self.pods / f"{name}.log"
        )
        if code:
            return None
        output_file = Path(local["outputs"]["outputFile"])
        answer: Spec = json.loads(output_file.read_text()) if output_file.exists() else {}
        self._upload(pod, executor_input, answer)
        return answer

    def _download(self, pod: Path, executor_input: Spec) -> None:
        for artifact in _artifacts(executor_input["inputs"]):
            source = local_path(self.store, artifact["uri"])
            target = local_path(pod, artifact["uri"])
            for path in [source, *source.rglob("*")]:
                if path.is_file():
                    place = target / path.relative_to(source) if path != source else target
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, place)

    def _upload(self, pod: Path, executor_input: Spec, answer: Spec) -> None:
        """An object store has no folders, so empty ones are gone; what was not written is no error."""
        for name, found in executor_input["outputs"]["artifacts"].items():
            if name == LOGS:
                continue
            told = answer.get("artifacts", {}).get(name, {}).get("artifacts", [{}])[0]
            artifact = found["artifacts"][0]
            artifact["uri"] = told.get("uri") or artifact["uri"]
            artifact["metadata"] = {**artifact.get("metadata", {}), **told.get("metadata", {})}
            if not artifact["uri"].startswith(tuple(_FOLDERS)):
                continue
            source = local_path(pod, artifact["uri"])
            for path in [source, *source.rglob("*")]:
                if path.is_file():
                    place = local_path(self.store, artifact["uri"])
                    place = place / path.relative_to(source) if path != source else place
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, place)

    def _environment(self, pod: Path, container: Spec, config: Spec, labels: dict[str, str]) -> dict[str, str]:
        """What an image and a pod give: nothing of the machine that the test runs on, but its CPU threads."""
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(pod / "work"),
            "TMPDIR": str(pod / "tmp"),
            "PYTHONPATH": str(REPOSITORY),
        }
        environment |= {name: value for name, value in os.environ.items() if name.endswith("_THREADS")}
        environment |= {entry["name"]: entry.get("value", "") for entry in container.get("env", ())}
        for secret in config.get("secretAsEnv", ()):
            values = self.secrets.get(secret["secretName"])
            if values is None and not secret.get("optional"):
                raise LookupError(f"secret {secret['secretName']} not found")
            for entry in secret["keyToEnv"]:
                if values and entry["secretKey"] in values:
                    environment[entry["envVar"]] = values[entry["secretKey"]]
        for entry in config.get("fieldPathAsEnv", ()):
            environment[entry["name"]] = labels[entry["fieldPath"]]
        return environment


def _artifacts(side: Spec) -> list[Spec]:
    return [artifact for found in side["artifacts"].values() for artifact in found["artifacts"]]


def _fill(argument: str, executor_input: Spec) -> str:
    """Replaces placeholders of a command line."""
    text = argument.replace("{{$}}", json.dumps(executor_input))
    for name, value in executor_input["inputs"]["parameterValues"].items():
        told = value if isinstance(value, str) else json.dumps(value)
        text = text.replace(f"{{{{$.inputs.parameters['{name}']}}}}", told)
    return text
