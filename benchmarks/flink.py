"""Ingestion, Transform and Evaluator on a cluster: do they agree with a local run, and how does time fall with slots?

    python -m benchmarks.flink download --downloads /tmp/flink      # Flink from PyPI, Beam's job server from Maven
    python -m benchmarks.flink run --config configs/demo.yaml --model MODEL --engine flink --downloads /tmp/flink
    python -m benchmarks.flink run --config configs/demo.yaml --model MODEL --engine rehearsal

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
from pipeline.beam_settings import BeamSettings, LocalBeam
from pipeline.config import PipelineConfig, load_config


@contextmanager
def engine(name: str, slots: int, downloads: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Starts an engine and gives the `beam` section of a configuration for it."""
    if name == "rehearsal":
        with rehearsing(folder, slots) as rehearsal:
            yield rehearsal.section()
        return
    jar = find_job_server(downloads)
    if jar is None:
        raise SystemExit(f"expected {JOB_SERVER} in {downloads}, found none; run the command `download` first")
    with flink_cluster(downloads, folder, slots) as cluster, worker_pool(folder) as address:
        place = {"master": cluster.master, "parallelism": slots, "job_server_jar": str(jar.resolve())}
        yield {"runner": "flink", **place, "environment": "EXTERNAL", "worker_address": address}


def compare(config: PipelineConfig, model: Path, name: str, slots: list[int], downloads: Path) -> bool:
    """Runs the steps locally and with each number of slots, prints times, and returns whether all outputs agree."""
    from benchmarks.beam_steps import STEPS, find_differences, run_steps

    console = Console()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        local = run_steps(config.model_copy(update={"beam": LocalBeam()}), model, folder / "local")
        trials, differences = {"local": local}, {"local": []}
        for count in slots:
            with engine(name, count, downloads, folder / f"logs-{count}") as section:
                beam = TypeAdapter(BeamSettings).validate_python(section)
                trial = run_steps(config.model_copy(update={"beam": beam}), model, folder / f"slots-{count}")
            trials[f"{count} slots"] = trial
            differences[f"{count} slots"] = find_differences(local, trial)
    table = Table("wall seconds", *trials)
    for step in STEPS:
        table.add_row(step, *(f"{trial.seconds[step]:.1f}" for trial in trials.values()))
    table.add_row("all three", *(f"{sum(trial.seconds.values()):.1f}" for trial in trials.values()))
    table.add_row("as the local run", "", *("no" if differences[key] else "yes" for key in list(trials)[1:]))
    console.print(table)
    for key, lines in differences.items():
        console.print(*(f"{key}: {line}" for line in lines), sep="\n")
    return not any(differences.values())


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["download", "run"])
    parser.add_argument("--downloads", type=Path, default=Path("workspace/flink"))
    parser.add_argument("--engine", choices=["flink", "rehearsal"], default="flink")
    parser.add_argument("--config", type=Path, default=Path("configs/demo.yaml"))
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 2, 4])
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all that was started is stopped
    if arguments.command == "download":
        download(arguments.downloads)
        return 0
    if arguments.model is None:
        parser.error("expected --model, the folder that holds Format-Serving")
    config = load_config(arguments.config, arguments.overrides)
    agree = compare(config, arguments.model, arguments.engine, arguments.slots, arguments.downloads)
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
