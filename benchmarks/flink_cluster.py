"""A Flink cluster of one job manager and two task managers on this machine, each a Java process of its own.

Flink comes from the Python package `apache-flink-libraries`, which holds its jars; it is unpacked, not installed, since
`apache-flink` itself asks for an old Beam.
"""

import hashlib
import json
import subprocess
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.rehearsal import free_port, running, wait_until

FLINK: Final = "apache-flink-libraries==2.2.1"
FLINK_WHEEL: Final = "apache_flink_libraries-2.2.1-py2.py3-none-any.whl"
FLINK_SHA256: Final = "74dc5546fbd9add8fbcdf1222a237e09491f9b80296241aef8676ec56f8e686e"
JOB_SERVER: Final = "org.apache.beam:beam-runners-flink-2.2-job-server:2.77.0"
TASK_MANAGERS: Final = 2
_OPENED: Final = ("lang", "lang.invoke", "lang.reflect", "net", "nio", "text", "time", "util", "util.concurrent")
_CONFIG: Final = {
    "jobmanager.rpc.address": "localhost",
    "jobmanager.bind-host": "localhost",
    "rest.address": "localhost",
    "rest.bind-address": "localhost",
    "taskmanager.host": "localhost",
    "taskmanager.bind-host": "localhost",
    "taskmanager.cpu.cores": 1,
    "taskmanager.memory.framework.heap.size": "128m",
    "taskmanager.memory.framework.off-heap.size": "128m",
    "taskmanager.memory.jvm-metaspace.size": "256m",
    "taskmanager.memory.jvm-overhead.min": "192m",
    "taskmanager.memory.jvm-overhead.max": "192m",
    "taskmanager.memory.task.heap.size": "512m",
    "taskmanager.memory.task.off-heap.size": "64m",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    "taskmanager.memory.managed.size": "256m",
}
_JOB_MANAGER: Final = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER: Final = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"


def download(folder: Path) -> None:
    """Fetches Flink and Beam's job server for it from the package registries that pip and Maven are set up with.

    Raises:
      RuntimeError: If a registry does not have an artifact, or it is not what was expected.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / FLINK_WHEEL
    if not wheel.exists():
        _call("pip", "download", "--no-deps", "--dest", str(folder), FLINK)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != FLINK_SHA256:
        raise RuntimeError(f"expected {wheel} with SHA-256 {FLINK_SHA256}, received {digest}; remove it")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith("pyflink/lib/")])
    plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
    _call("mvn", "-B", "-q", "-C", plugin, f"-Dartifact={JOB_SERVER}", f"-DoutputDirectory={folder}")


def find_job_server(folder: Path) -> Path | None:
    """Returns the job server in a folder of downloads."""
    return next(iter(sorted(folder.glob("beam-runners-flink-*-job-server-*.jar"))), None)


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


@contextmanager
def flink_cluster(downloads: Path, folder: Path, slots: int) -> Iterator[str]:
    """Starts a job manager and two task managers, gives host:port of their REST interface, and stops them at the end.

    Args:
      downloads: Where `download` put Flink.
      folder: Receives configuration and logs.
      slots: Number of task slots, spread over both task managers; one slot needs one task manager only.

    Raises:
      RuntimeError: If the slots are not there in time.
    """
    rest, rpc, managers = free_port(), free_port(), min(slots, TASK_MANAGERS)
    config = {
        **_CONFIG,
        "rest.port": rest,
        "jobmanager.rpc.port": rpc,
        "taskmanager.numberOfTaskSlots": slots // managers,
    }
    with ExitStack() as stack:
        processes = []
        for name in ("job-manager", *(f"task-manager-{number}" for number in range(managers))):
            home = folder / name
            home.mkdir(parents=True, exist_ok=True)
            lines = [f"{key}: {value}" for key, value in {**config, "io.tmp.dirs": home}.items()]
            (home / "config.yaml").write_text("\n".join(lines) + "\n")
            command = _java(downloads, home, _JOB_MANAGER if name == "job-manager" else _TASK_MANAGER)
            processes.append(stack.enter_context(running(command, home / "log")))
        wait_until(lambda: count_slots(rest) == slots, processes, folder)
        yield f"localhost:{rest}"


def _java(downloads: Path, home: Path, entry: str) -> list[str]:
    opened = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in _OPENED]
    jars = str(downloads / "pyflink" / "lib" / "*")
    return ["java", "-Xmx1g", *opened, "-cp", jars, entry, "--configDir", str(home)]


def count_slots(rest: int) -> int:
    """Returns how many task slots a job manager knows of; 0 if none answers."""
    try:
        with urllib.request.urlopen(f"http://localhost:{rest}/overview", timeout=5) as answer:
            overview: dict[str, Any] = json.load(answer)
    except OSError:
        return 0
    return int(overview["slots-total"])
