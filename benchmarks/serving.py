r"""What the local server costs and gains, against calls of the bare SavedModel in the same run.

    python -m benchmarks.serving --model workspace/demo/served/interests/1 \
        --examples workspace/demo/artifacts/BehaviorExampleGen/examples/1/Split-test
    python -m benchmarks.serving --model ... --examples ... --seconds 20 --json

Three measurements, each bounded in time; server, clients and bare calls share the machine's cores:

    latency     one example per request, at each concurrency: the server over gRPC, and the bare SavedModel called by as
                many threads, in turns
    throughput  many clients, with batching and without
    swaps       20 new versions and 5 rollbacks while clients ask; failed requests and answers that mix versions; lasts
                as long as 25 loads of the model, some ten minutes for the demo's

The server runs in a process of its own, as it does in use. Clients are threads of the measuring process, with requests
that were written beforehand, so that what is timed is the server and the wire.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.model_server import PREDICT, make_body, publish, server
from benchmarks.version_swaps import Swaps, measure_swaps
from schemas.signatures import EXAMPLES, SERVE

CONCURRENCIES: Final = (1, 2, 4)
CLIENTS: Final = 64
EXAMPLES_USED: Final = 256
TURNS: Final = 3
WARM_UP: Final = 20


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


def measure_latency(model: Any, examples: Sequence[bytes], address: str, seconds: float) -> list[Latency]:
    """Measures bare calls and the server in turns, so that both see the same neighbours on the machine."""
    import tensorflow as tf

    signature = model.signatures[SERVE]
    tensors = [tf.constant([example]) for example in examples]
    bodies = [make_body([example]) for example in examples]
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
    bodies = [make_body([example]) for example in examples]
    answered = [0] * len(addresses)
    for place, address in [*enumerate(addresses)] * TURNS:
        with grpc.insecure_channel(address) as channel:
            rpc = channel.unary_unary(PREDICT)
            answered[place] += len(_times(partial(_ask, rpc, bodies), CLIENTS, seconds / TURNS))
    return [count / seconds for count in answered]


def run(arguments: argparse.Namespace) -> tuple[list[Latency], Throughput, Swaps | None]:
    """Makes all measurements."""
    import tensorflow as tf

    examples = list(islice(_examples(arguments.examples), EXAMPLES_USED))
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder)
        publish(arguments.model, models, 1, examples)
        with server(models) as address:
            loaded = tf.saved_model.load(str(arguments.model))
            _report("latency: bare calls and the server in turns")
            latencies = measure_latency(loaded, examples, address, arguments.seconds)
            with server(models, max_batch=1) as other:
                _report("throughput: with batching and without in turns")
                batched, unbatched = measure_throughput([address, other], examples, arguments.seconds)
        swaps = None
        if not arguments.no_swaps:
            with server(models) as address:
                swaps = measure_swaps(arguments.model, models, examples, address, _report)
    return latencies, Throughput(batched, unbatched), swaps


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _times(call: Callable[[int], object], concurrency: int, seconds: float) -> list[float]:
    """Calls from so many threads for so long; returns the seconds of each call, the first ones left out."""
    times: list[float] = []
    for number in range(WARM_UP):
        call(number)
    end = time.perf_counter() + seconds

    def work(thread: int) -> None:
        mine = []
        number = thread
        while (began := time.perf_counter()) < end:
            call(number)
            mine.append(time.perf_counter() - began)
            number += concurrency
        times.extend(mine)

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
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # bare calls, as in the server
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
