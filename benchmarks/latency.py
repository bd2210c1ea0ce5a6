r"""How long the exported model takes to answer, on one core with one thread.

    python -m benchmarks.latency --model workspace/demo/served/interests/1 \
        --examples workspace/demo/artifacts/BehaviorExampleGen/examples/1/Split-test
    python -m benchmarks.latency --model ... --examples ... --batch 1 --batch 64 --signature serving_default --json

Serialized examples go in and names come out, as in TensorFlow Serving, less the network. Examples are real ones with at
least as many events as asked for, cut to their newest. Each measurement is a process of its own, bound to one core.
Wall time counts other processes on that core; CPU time does not.
"""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from schemas.features import EVENT_AGE, RAW_FEATURES, Role, Shape
from schemas.signatures import EXAMPLES, SERVE

WARM_UP = 20
INPUTS = {spec.name: spec for spec in RAW_FEATURES if spec.role is Role.INPUT}


@dataclass(frozen=True)
class Request:
    """What is measured: `calls` calls of a signature with `batch` examples of `events` events each."""

    model: str
    examples: str
    signature: str
    batch: int
    events: int
    calls: int


@dataclass(frozen=True)
class Latency:
    """Milliseconds per call: median and 99th percentile of wall time and of CPU time; seconds to load the model."""

    signature: str
    batch: int
    wall_p50: float
    wall_p99: float
    cpu_p50: float
    cpu_p99: float
    load_s: float


def measure(request: Request) -> Latency:
    """Measures in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, [request])


def _measure(request: Request) -> Latency:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    began = time.perf_counter()
    loaded = tf.saved_model.load(request.model)
    load_s, signature = time.perf_counter() - began, loaded.signatures[request.signature]
    made = list(islice(_examples(request), max(request.batch, 64)))
    if len(made) < request.batch:
        raise SystemExit(f"expected {request.batch} examples of {request.events} events, received {len(made)}")
    batches = [tf.constant((made[place:] + made[:place])[: request.batch]) for place in range(min(len(made), 16))]
    times = np.array([_call(signature, batches[call % len(batches)]) for call in range(WARM_UP + request.calls)])
    (wall_p50, cpu_p50), (wall_p99, cpu_p99) = np.percentile(1e3 * times[WARM_UP:], [50, 99], axis=0).tolist()
    return Latency(request.signature, request.batch, wall_p50, wall_p99, cpu_p50, cpu_p99, load_s)


def _call(signature: Any, batch: Any) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    for value in signature(**{EXAMPLES: batch}).values():
        value.numpy()
    return time.perf_counter() - wall, time.process_time() - cpu


def _examples(request: Request) -> Iterator[bytes]:
    """Inputs of the examples with enough events, the newest of them only."""
    import tensorflow as tf

    paths = sorted(str(path) for path in Path(request.examples).glob("*.gz"))
    for record in tf.data.TFRecordDataset(paths, compression_type="GZIP"):
        given = tf.train.Example.FromString(record.numpy()).features.feature
        if len(given[EVENT_AGE].int64_list.value) < request.events:
            continue
        kept = tf.train.Example()
        for name, spec in INPUTS.items():
            kept.features.feature[name].CopyFrom(given[name])
            kind = given[name].WhichOneof("kind")
            if spec.shape is Shape.EVENTS and kind:
                del getattr(kept.features.feature[name], kind).value[: -request.events]
        yield kept.SerializeToString()


def main() -> None:
    """Runs the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="Folder of the SavedModel.")
    parser.add_argument("--examples", required=True, help="Folder of gzip TFRecord files of raw examples.")
    parser.add_argument("--signature", action="append", help=f"Repeatable  [{SERVE}]")
    parser.add_argument("--batch", type=int, action="append", help="Repeatable  [1 and 64]")
    parser.add_argument("--events", type=int, default=50)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = [
        measure(Request(given.model, given.examples, signature, batch, given.events, given.calls))
        for signature in given.signature or [SERVE]
        for batch in given.batch or [1, 64]
    ]
    if given.json:
        print(json.dumps([asdict(latency) for latency in found], indent=1))
        return
    table = Table("signature", "batch", "wall p50 ms", "wall p99 ms", "CPU p50 ms", "CPU p99 ms", "load s")
    for latency in found:
        _, _, *numbers = asdict(latency).values()
        table.add_row(latency.signature, str(latency.batch), *(f"{number:.2f}" for number in numbers))
    Console().print(table)


if __name__ == "__main__":
    main()
