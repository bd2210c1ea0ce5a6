"""A cluster of processes on this machine that speaks the protocols of Beam's portable engines.

    pipeline --(Job API)--> job service --(Fn API)--> worker, worker, ...
                                                        started by a worker pool (`environment: EXTERNAL`)

Pipeline, job service and workers are processes of their own and share nothing but what Beam carries and the disk. Jobs,
staged files, pickled code, bundles spread over workers and events in the shuffle are thus those of a cluster; Flink's
scheduler, network and retries are not in it.

    python -m benchmarks.rehearsal --workers 2 --port-file FILE     # the job service alone
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
START_S: Final = 120
STOP_S: Final = 10


@dataclass(frozen=True)
class Rehearsal:
    """Where a rehearsal's processes listen.

    Attributes:
      job_endpoint: host:port of the job service.
      worker_address: host:port of the worker pool.
    """

    job_endpoint: str
    worker_address: str

    def section(self) -> dict[str, Any]:
        """Returns the `beam` section of a configuration that runs here as it would on Flink."""
        place = {"job_endpoint": self.job_endpoint, "worker_address": self.worker_address}
        return {"runner": "flink", "master": "localhost:8081", "environment": "EXTERNAL", **place}


@contextmanager
def rehearsing(folder: Path, workers: int) -> Iterator[Rehearsal]:
    """Starts a job service and a worker pool, and stops both at the end.

    Args:
      folder: Receives their logs.
      workers: Number of worker processes that share the bundles of a step.

    Raises:
      RuntimeError: If one does not listen in time.
    """
    with worker_pool(folder) as address:
        port_file = folder / "job-service.port"
        command = ["-m", "benchmarks.rehearsal", f"--workers={workers}", f"--port-file={port_file}"]
        with running([sys.executable, *command], folder / "job-service.log") as service:
            wait_until(port_file.exists, [service], folder)
            yield Rehearsal(f"localhost:{port_file.read_text()}", address)


@contextmanager
def worker_pool(folder: Path) -> Iterator[str]:
    """Starts what starts Python workers on demand, and gives its host:port."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = ["-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={port}"]
    with running([sys.executable, *command], folder / "worker-pool.log") as pool:
        wait_until(lambda: listens(port), [pool], folder)
        yield f"localhost:{port}"


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a command in the project's folder until the end of the context, then ends it, by force if it must be."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))  # the pool calls `python`
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield process
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(
    ready: Callable[[], bool], processes: list[subprocess.Popen[bytes]], logs: Path, limit_s: float = START_S
) -> None:
    """Waits until a condition holds.

    Raises:
      RuntimeError: If a process ended before, or the time is up.
    """
    end_s = time.monotonic() + limit_s
    while not ready():
        if time.monotonic() > end_s or any(process.poll() is not None for process in processes):
            raise RuntimeError(f"expected the processes to listen within {limit_s:.0f} s; their logs are in {logs}")
        time.sleep(0.1)


def free_port() -> int:
    """Returns a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _serve(workers: int, port_file: Path) -> None:
    """Runs the job service; Beam's own `local_job_service_main` knows one worker only."""
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    from apache_beam.runners.portability.local_job_service import BeamJob, LocalJobServicer

    class Job(BeamJob):
        def _invoke_runner(self) -> Any:
            self.set_state(_running())
            runner = FnApiRunner(provision_info=self._provision_info)
            runner._num_workers = workers
            return runner.run_via_runner_api(self._pipeline_proto, self.pipeline_options())

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    service = LocalJobServicer(beam_job_type=Job)
    port = service.start_grpc_server()
    temporary = port_file.with_suffix(".tmp")
    temporary.write_text(str(port))
    temporary.replace(port_file)
    try:
        while True:
            time.sleep(3600)
    finally:
        service.stop()


def _running() -> Any:
    from apache_beam.portability.api import beam_job_api_pb2

    return beam_job_api_pb2.JobState.RUNNING


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--port-file", type=Path, required=True)
    arguments = parser.parse_args()
    _serve(arguments.workers, arguments.port_file)
