"""What clients see while versions come and go."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np

from benchmarks.model_server import MODEL, PREDICT, make_body, make_query, pin, publish, wait_for
from interest_migration.client.exchanges import Reply
from interest_migration.client.grpc_protocol import GrpcProtocol

SWAPS, ROLLBACKS, KEPT, CLIENTS = 20, 5, 7, 4


@dataclass(frozen=True)
class Swaps:
    """What clients saw while versions came and went."""

    swaps: int
    rollbacks: int
    answers: int
    failed: int
    mixed: int
    p99_ms: float


@dataclass
class _Watch:
    """What the clients have seen so far, and which versions may answer now."""

    allowed: list[int] = field(default_factory=lambda: [1])
    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    mixed: list[int] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def changing_to(self, version: int, address: str) -> Iterator[None]:
        """Expects the old version or the new one while the block runs, and the new one from its answer on."""
        self.allowed.append(version)
        yield
        wait_for(address, version)
        del self.allowed[:-1]

    def ask(self, address: str, example: bytes) -> None:
        """Asks until it is told to stop."""
        with grpc.insecure_channel(address) as channel:
            rpc = channel.unary_unary(PREDICT)
            while not self.stop.is_set():
                began, before = time.perf_counter(), set(self.allowed)
                try:
                    reply = rpc(make_body([example]))
                except grpc.RpcError as error:
                    self.failed.append(str(error.code()))
                    continue
                version = GrpcProtocol().read_predict(Reply(reply), make_query([]), None).version or 0
                if version not in before | set(self.allowed):
                    self.mixed.append(version)
                self.seconds.append(time.perf_counter() - began)


def measure_swaps(
    model: Path, models: Path, examples: Sequence[bytes], address: str, report: Callable[[str], None]
) -> Swaps:
    """Publishes and rolls back versions while clients ask.

    Versions are copies of one model, so an answer is mixed if the version it names was not wanted when it was asked or
    answered; that the outputs themselves belong to one version, the tests check with models that say who they are.
    """
    watch, newest = _Watch(), 1 + SWAPS
    threads = [threading.Thread(target=watch.ask, args=[address, examples[number]]) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for version in range(2, newest + 1):
        with watch.changing_to(version, address):
            publish(model, models, version, examples)
        report(f"swap {version - 1} of {SWAPS} done")
        if version > KEPT:
            shutil.rmtree(models / MODEL / str(version - KEPT))
    for version in range(newest - 1, newest - 1 - ROLLBACKS, -1):
        with watch.changing_to(version, address):
            pin(models, version)
        report(f"rollback {newest - version} of {ROLLBACKS} done")
    watch.stop.set()
    for thread in threads:
        thread.join()
    p99 = float(np.percentile(watch.seconds, 99)) * 1e3
    return Swaps(SWAPS, ROLLBACKS, len(watch.seconds), len(watch.failed), len(watch.mixed), p99)
