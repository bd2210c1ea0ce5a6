r"""What the local server costs and gains, against calls of the bare SavedModel in the same run.

    python -m benchmarks.serving --model workspace/demo/served/interests/1 \
        --examples workspace/demo/artifacts/BehaviorExampleGen/examples/1/Split-test
    python -m benchmarks.serving --model ... --examples ... --seconds 20 --json

Three measurements, each bounded in time; server, clients and bare calls share the machine's cores:

    latency     one example per request, at each concurrency: the server over gRPC, and the bare SavedModel called by as
                many threads, in turns
    throughput  many clients, with batching and without
    swaps       20 new versions and 5 rollbacks while clients ask; failed requests and answers that mix versions

The server runs in a process of its own, as it does in use. Clients are threads of the measuring process, with requests
that were written beforehand, so that what is timed is the server and the wire.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np
from rich.console import Console
from rich.table import Table

from interest_migration.client import Client, NotFoundError
from interest_migration.client.exchanges import Reply
from interest_migration.client.grpc_protocol import GrpcProtocol
from interest_migration.client.queries import Query, Target
from interest_migration.serving.warm_up import WARM_UP_FILE, write_warm_ups
from schemas.signatures import EXAMPLES, SERVE

MODEL: Final = "interests"
CONCURRENCIES: Final = (1, 2, 4)
CLIENTS: Final = 64
SWAPS, ROLLBACKS, KEPT = 20, 5, 7
EXAMPLES_USED: Final = 256
TURNS: Final = 3
WARM_UP: Final = 20
PREDICT: Final = "/tensorflow.serving.PredictionService/Predict"


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one example per request: bare calls and the server, at the same concurrency."""

    concurrency: int
    bare_p50: float
    bare_p99: float
    served_p50: float
    served_p99: float

    @property
    def ratio(self) -> float:
        """Server's 99th percentile over that of bare calls."""
        return self.served_p99 / self.bare_p99


@dataclass(frozen=True)
class Throughput:
    """Requests per second of `CLIENTS` clients."""

    batched: float
    unbatched: float


@dataclass(frozen=True)
class Swaps:
    """What clients saw while versions came and went."""

    swaps: int
    rollbacks: int
    answers: int
    failed: int
    mixed: int
    p99_ms: float


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
            _wait_for(address, 1)
            yield address
        finally:
            process.terminate()
            process.wait()


def measure_latency(model: Any, examples: Sequence[bytes], address: str, seconds: float) -> list[Latency]:
    """Measures bare calls and the server in turns, so that both see the same neighbours on the machine."""
    import tensorflow as tf

    signature = model.signatures[SERVE]
    tensors = [tf.constant([example]) for example in examples]
    bodies = [_body([example]) for example in examples]
    found = []
    with grpc.insecure_channel(address) as channel:
        rpc = channel.unary_unary(PREDICT)
        for concurrency in CONCURRENCIES:
            bare, served = [], []
            for _ in range(TURNS):
                bare += _times(partial(_call, signature, tensors), concurrency, seconds / (2 * TURNS))
                served += _times(partial(_ask, rpc, bodies), concurrency, seconds / (2 * TURNS))
            percentiles = [(1e3 * np.percentile(times, [50, 99])).tolist() for times in (bare, served)]
            found.append(Latency(concurrency, *percentiles[0], *percentiles[1]))
    return found


def measure_throughput(addresses: Sequence[str], examples: Sequence[bytes], seconds: float) -> list[float]:
    """Returns requests per second, one example each, that many clients get answered by each server, asked in turns."""
    bodies = [_body([example]) for example in examples]
    answered = [0] * len(addresses)
    for place, address in [*enumerate(addresses)] * TURNS:
        with grpc.insecure_channel(address) as channel:
            rpc = channel.unary_unary(PREDICT)
            answered[place] += len(_times(partial(_ask, rpc, bodies), CLIENTS, seconds / TURNS))
    return [count / seconds for count in answered]


def measure_swaps(model: Path, models: Path, examples: Sequence[bytes], address: str) -> Swaps:
    """Publishes and rolls back versions while four clients ask.

    Versions are copies of one model, so an answer is mixed if the version it names was not wanted when it was asked or
    answered; that the outputs themselves belong to one version, the tests check with models that say who they are.
    """
    seen: list[tuple[float, int]] = []
    failed: list[str] = []
    allowed = [1]
    mixed = [0]
    stop = threading.Event()

    def ask(number: int) -> None:
        with grpc.insecure_channel(address) as channel:
            rpc = channel.unary_unary(PREDICT)
            while not stop.is_set():
                began, before = time.perf_counter(), set(allowed)
                try:
                    reply = rpc(_body([examples[number]]))
                except grpc.RpcError as error:
                    failed.append(str(error.code()))
                    continue
                version = GrpcProtocol().read_predict(Reply(reply), _query([]), None).version or 0
                mixed[0] += version not in before | set(allowed)
                seen.append((time.perf_counter() - began, version))

    threads = [threading.Thread(target=ask, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    newest = 1 + SWAPS
    for version in range(2, newest + 1):
        allowed.append(version)
        _publish(model, models, version, examples)
        _wait_for(address, version)
        del allowed[:-1]
        if version > KEPT:
            shutil.rmtree(models / MODEL / str(version - KEPT))
    for version in range(newest - 1, newest - 1 - ROLLBACKS, -1):
        allowed.append(version)
        _pin(models, version)
        _wait_for(address, version)
        del allowed[:-1]
    stop.set()
    for thread in threads:
        thread.join()
    p99 = float(np.percentile([seconds for seconds, _ in seen], 99)) * 1e3
    return Swaps(SWAPS, ROLLBACKS, len(seen), len(failed), mixed[0], p99)


def run(arguments: argparse.Namespace) -> tuple[list[Latency], Throughput, Swaps | None]:
    """Makes all measurements."""
    import tensorflow as tf

    examples = list(islice(_examples(arguments.examples), EXAMPLES_USED))
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder)
        _publish(arguments.model, models, 1, examples)
        with server(models) as address:
            loaded = tf.saved_model.load(str(arguments.model))
            latencies = measure_latency(loaded, examples, address, arguments.seconds)
            with server(models, max_batch=1) as other:
                batched, unbatched = measure_throughput([address, other], examples, arguments.seconds)
        swaps = None
        if not arguments.no_swaps:
            with server(models) as address:
                swaps = measure_swaps(arguments.model, models, examples, address)
    return latencies, Throughput(batched, unbatched), swaps


def _times(call: Callable[[int], object], concurrency: int, seconds: float) -> list[float]:
    """Calls from so many threads for so long; returns the seconds of each call, the first ones left out."""
    times: list[float] = []
    end = time.perf_counter() + seconds

    def work(thread: int) -> None:
        mine = []
        number = thread
        while (began := time.perf_counter()) < end:
            call(number)
            mine.append(time.perf_counter() - began)
            number += concurrency
        times.extend(mine)

    for number in range(WARM_UP):
        call(number)
    threads = [threading.Thread(target=work, args=[thread]) for thread in range(concurrency)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return times


def _call(signature: Any, tensors: Sequence[Any], number: int) -> None:
    for value in signature(**{EXAMPLES: tensors[number % len(tensors)]}).values():
        value.numpy()


def _ask(rpc: Callable[[bytes], bytes], bodies: Sequence[bytes], number: int) -> None:
    rpc(bodies[number % len(bodies)])


def _query(examples: Sequence[bytes]) -> Query:
    return Query(Target(MODEL), SERVE, {EXAMPLES: examples})


def _body(examples: Sequence[bytes]) -> bytes:
    return GrpcProtocol().predict(_query(examples), None).body


def _publish(model: Path, models: Path, version: int, examples: Sequence[bytes]) -> None:
    """Copies the model; one without warm-up requests, of an earlier release, gets some."""
    hidden = models / MODEL / f".pushing-{version}"
    shutil.copytree(model, hidden)
    if not (hidden / WARM_UP_FILE).exists():
        (hidden / WARM_UP_FILE).parent.mkdir(exist_ok=True)
        sizes = (1, 2, 8, 64)
        write_warm_ups(str(hidden), [(SERVE, {EXAMPLES: np.array(examples[:size], object)}) for size in sizes])
    hidden.rename(models / MODEL / str(version))


def _pin(models: Path, version: int) -> None:
    text = (
        f'model_config_list {{ config {{ name: "{MODEL}" base_path: "{MODEL}" model_platform: "tensorflow" '
        f"model_version_policy {{ specific {{ versions: {version} }} }} }} }}"
    )
    (models / "new.config").write_text(text, encoding="utf-8")
    (models / "new.config").rename(models / "models.config")


def _wait_for(address: str, version: int, timeout_s: float = 120) -> None:
    end = time.monotonic() + timeout_s
    with Client(f"grpc://{address}", MODEL, timeout_s=timeout_s) as client:
        while time.monotonic() < end:
            with suppress(NotFoundError):
                if any(each.version == version and each.state == "AVAILABLE" for each in client.status()):
                    return
            time.sleep(0.05)
    raise SystemExit(f"expected version {version} to answer within {timeout_s:.0f} s")


def _examples(folder: Path) -> Iterator[bytes]:
    import tensorflow as tf

    paths = sorted(str(path) for path in folder.glob("*.gz"))
    for record in tf.data.TFRecordDataset(paths, compression_type="GZIP"):
        yield record.numpy()


def main() -> None:
    """Runs the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="Folder of the SavedModel.")
    parser.add_argument("--examples", type=Path, required=True, help="Folder of gzip TFRecord files of raw examples.")
    parser.add_argument("--seconds", type=float, default=12, help="Of each measurement.")
    parser.add_argument("--no-swaps", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    latencies, throughput, swaps = run(given)
    if given.json:
        document = {"latency": [asdict(each) for each in latencies], "throughput": asdict(throughput)}
        print(json.dumps(document | {"swaps": asdict(swaps) if swaps else None}, indent=1))
        return
    table = Table("at a time", "bare p50 ms", "bare p99 ms", "server p50 ms", "server p99 ms", "p99 ratio")
    for each in latencies:
        numbers = (each.bare_p50, each.bare_p99, each.served_p50, each.served_p99, each.ratio)
        table.add_row(str(each.concurrency), *(f"{number:.2f}" for number in numbers))
    console = Console()
    console.print(table)
    gain = throughput.batched / throughput.unbatched
    console.print(
        f"{CLIENTS} clients: {throughput.batched:.0f} requests/s with batching, {throughput.unbatched:.0f} without "
        f"({gain:.1f} times)"
    )
    if swaps:
        console.print(swaps)


if __name__ == "__main__":
    main()
