"""Ingestion, Transform and Evaluator on a cluster: do they agree with a local run, and how does time fall with slots?

    python -m benchmarks.flink download --downloads /tmp/flink      # Flink from PyPI, Beam's job server from Maven
    python -m benchmarks.flink run --config configs/demo.yaml --model MODEL --engine flink --downloads /tmp/flink
    python -m benchmarks.flink run --config configs/demo.yaml --steps 1 --engine rehearsal

`flink` starts a job manager, task managers and a worker pool; `rehearsal` puts Beam's own job service in the place of
Flink (`benchmarks.rehearsal`). `MODEL` is what a run has trained, the folder that holds `Format-Serving`. Everything
that is started is stopped at the end. Ends with 1 if the outputs differ from those of the local run.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from benchmarks.flink_cluster import JOB_SERVER, download, find_job_server, flink_cluster
from benchmarks.rehearsal import rehearsing, worker_pool
from pipeline.beam_settings import BeamSettings
from pipeline.config import PipelineConfig, load_config


@contextmanager
def engine(slots: int, jar: Path | None, downloads: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Starts an engine, Flink with a job server's jar, and gives the `beam` section of a configuration for it."""
    if jar is None:
        with rehearsing(folder, slots) as rehearsal:
            yield rehearsal.section()
        return
    with flink_cluster(downloads, folder, slots) as master, worker_pool(folder) as address:
        place = {"master": master, "parallelism": slots, "job_server_jar": str(jar.resolve())}
        yield {"runner": "flink", **place, "environment": "EXTERNAL", "worker_address": address}


def compare(config: PipelineConfig, arguments: argparse.Namespace) -> bool:
    """Runs the steps locally and with each number of slots, prints times, and returns whether all outputs agree."""
    from benchmarks.beam_steps import STEPS, Trial, find_differences, run_steps

    def run(section: Any, output: Path) -> Trial:
        beam = TypeAdapter(BeamSettings).validate_python(section)
        return run_steps(config.model_copy(update={"beam": beam}), arguments.model, output, STEPS[: arguments.steps])

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        trials = {"local": run({"runner": "local"}, folder / "local")}
        differences = {}
        for slots in arguments.slots:
            with engine(slots, arguments.job_server, arguments.downloads, folder / f"logs-{slots}") as section:
                trial = run(section, folder / f"slots-{slots}")
            trials[f"{slots} slots"] = trial
            differences[f"{slots} slots"] = find_differences(trials["local"], trial)
    _print({name: trial.seconds for name, trial in trials.items()}, differences)
    return not any(differences.values())


def _print(seconds: dict[str, dict[str, float]], differences: dict[str, list[str]]) -> None:
    table = Table("wall seconds", *seconds)
    for step in seconds["local"]:
        table.add_row(step, *(f"{column[step]:.1f}" for column in seconds.values()))
    table.add_row("together", *(f"{sum(column.values()):.1f}" for column in seconds.values()))
    table.add_row("as the local run", "", *("no" if lines else "yes" for lines in differences.values()))
    Console().print(table)
    for name, lines in differences.items():
        for line in lines:
            print(f"{name}: {line}")


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["download", "run"])
    parser.add_argument("--downloads", type=Path, default=Path("workspace/flink"))
    parser.add_argument("--job-server", type=Path, help="its jar; default: the one among the downloads")
    parser.add_argument("--engine", choices=["flink", "rehearsal"], default="flink")
    parser.add_argument("--config", type=Path, default=Path("configs/demo.yaml"))
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--steps", type=int, choices=[1, 2, 3], default=3, help="ingestion; Transform too; all")
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 2, 4])
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all that was started is stopped
    try:
        if arguments.command == "download":
            download(arguments.downloads)
            return 0
        _complete(arguments, parser)
        return 0 if compare(load_config(arguments.config, arguments.overrides), arguments) else 1
    except RuntimeError as error:
        parser.exit(1, f"{error}\n")


def _complete(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    if arguments.steps == 3 and arguments.model is None:
        parser.error("expected --model, the folder that holds Format-Serving, or --steps 2")
    if arguments.engine == "rehearsal":
        arguments.job_server = None
    elif arguments.job_server is None:
        arguments.job_server = find_job_server(arguments.downloads)
        if arguments.job_server is None:
            parser.error(f"expected {JOB_SERVER} in {arguments.downloads}; run `download` or give --job-server")


if __name__ == "__main__":
    sys.exit(main())
