"""A server in a process of its own, the versions that it serves, and requests to it."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import numpy as np

from interest_migration.client import Client, NotFoundError
from interest_migration.client.grpc_protocol import GrpcProtocol
from interest_migration.client.queries import Query, Target
from interest_migration.serving.warm_up import WARM_UP_FILE, write_warm_ups
from schemas.signatures import EXAMPLES, SERVE

MODEL: Final = "interests"
PREDICT: Final = "/tensorflow.serving.PredictionService/Predict"


@contextmanager
def server(models: Path, **options: object) -> Iterator[str]:
    """Runs `interest-migration serve` while the block runs; yields its gRPC address once the model answers."""
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "pipeline", "serve", f"--models={models}", "--port=0", "--rest-port=0", *arguments]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [*command, "--any-signatures", "--poll-seconds=0.2"], stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            address = next(line.split()[1] for line in process.stdout if line.startswith("gRPC "))
            wait_for(address, 1)
            yield address
        finally:
            process.terminate()
            process.wait()


def make_query(examples: Sequence[bytes]) -> Query:
    """Asks for the answers to raw examples."""
    return Query(Target(MODEL), SERVE, {EXAMPLES: examples})


def make_body(examples: Sequence[bytes]) -> bytes:
    """Returns that request as it is sent."""
    return GrpcProtocol().predict(make_query(examples), None).body


def publish(model: Path, models: Path, version: int, examples: Sequence[bytes]) -> None:
    """Copies the model; one without warm-up requests, of an earlier release, gets some."""
    hidden = models / MODEL / f".pushing-{version}"
    shutil.copytree(model, hidden)
    if not (hidden / WARM_UP_FILE).exists():
        (hidden / WARM_UP_FILE).parent.mkdir(exist_ok=True)
        sizes = (1, 2, 8, 64)
        write_warm_ups(str(hidden), [(SERVE, {EXAMPLES: np.array(examples[:size], object)}) for size in sizes])
    hidden.rename(models / MODEL / str(version))


def pin(models: Path, version: int) -> None:
    """Lets the server serve one version only."""
    text = (
        f'model_config_list {{ config {{ name: "{MODEL}" base_path: "{MODEL}" model_platform: "tensorflow" '
        f"model_version_policy {{ specific {{ versions: {version} }} }} }} }}"
    )
    (models / "new.config").write_text(text, encoding="utf-8")
    (models / "new.config").rename(models / "models.config")


def wait_for(address: str, version: int, timeout_s: float = 120) -> None:
    """Waits until a version answers.

    Raises:
      SystemExit: If it does not in time.
    """
    end = time.monotonic() + timeout_s
    with Client(f"grpc://{address}", MODEL, timeout_s=timeout_s) as client:
        while time.monotonic() < end:
            with suppress(NotFoundError):
                if any(each.version == version and each.state == "AVAILABLE" for each in client.status()):
                    return
            time.sleep(0.05)
    raise SystemExit(f"expected version {version} to answer within {timeout_s:.0f} s")
