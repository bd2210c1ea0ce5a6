"""What skew costs ingestion: an even log beside one with a user and a category that outweigh all others.

    python -m benchmarks.skew                    # a million rows each
    python -m benchmarks.skew --rows 3000000

The even log spreads its rows over 5,000 users and 200 categories. In the skewed one a user has 200,000 events and one
category 90 % of all. Every run is a process of its own; printed are CPU-seconds and peak memory, imports included.
"""

import argparse
import multiprocessing
import resource
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from interest_migration.examples.settings import ExampleSettings
from interest_migration.ingestion.summary import IngestSummary
from interest_migration.sources.mapping import SourceMapping

USERS, CATEGORIES, DAYS = 5_000, 200, 365
HOT_EVENTS, HOT_SHARE = 200_000, 0.9
SHARDS = 8
MAPPING = {
    "name": "skew",
    "streams": [
        {
            "name": "log",
            "fields": {
                "user": "user",
                "time": {"column": "time", "format": "unix_s"},
                "action": {"constant": "purchase"},
                "item": "item",
                "category_path": "category",
                "price": "price",
            },
        }
    ],
}


def write_log(path: Path, rows: int, *, skewed: bool) -> None:
    """Writes `rows` purchases."""
    draw = np.random.default_rng(0)
    user, category = draw.integers(0, USERS, rows), draw.integers(0, CATEGORIES, rows)
    if skewed:
        user[: min(HOT_EVENTS, rows // 2)] = USERS
        category[draw.random(rows) < HOT_SHARE] = 0
    columns = {
        "user": user,
        "time": 1_600_000_000 + draw.integers(0, DAYS * 86_400, rows),
        "item": category * 50 + draw.integers(0, 50, rows),
        "category": [f"category {number:03}" for number in category.tolist()],
        "price": draw.integers(1, 1000, rows) / 100,
    }
    pq.write_table(pa.table(columns), path)


def measure(folder: Path) -> tuple[IngestSummary, float, float]:
    """Ingests a folder in a fresh process; returns the counts, CPU-seconds and peak megabytes."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(folder, sender))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        raise SystemExit("ingestion failed; its message is above") from None
    finally:
        process.join()


def _report(folder: Path, sender) -> None:  # type: ignore[no-untyped-def]
    from components.ingestion import ingest

    mapping = SourceMapping.from_values(MAPPING, source="benchmark")
    with tempfile.TemporaryDirectory() as output:
        summary = ingest(
            mapping, str(folder), Path(output), ExampleSettings(), b"k" * 32, SHARDS, ["--runner=FnApiRunner"]
        )
    usage = resource.getrusage(resource.RUSAGE_SELF)
    sender.send((summary, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))


def main() -> None:
    """Runs the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    table = Table("log", "rows used", "hot_user", "examples", "CPU-s", "peak MB")
    for name in ("even", "skewed"):
        with tempfile.TemporaryDirectory() as folder:
            write_log(Path(folder) / "log.parquet", rows, skewed=name == "skewed")
            summary, cpu_seconds, megabytes = measure(Path(folder))
        counts = (summary.rows_used, summary.rejected.get("hot_user", 0), sum(summary.examples.values()))
        table.add_row(name, *(f"{count:,}" for count in counts), f"{cpu_seconds:.1f}", f"{megabytes:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
