"""`interest-migration report`."""

from pathlib import Path

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES

EPILOG = """\b
Examples:
  interest-migration report --config configs/demo.yaml
  interest-migration report --config configs/demo.yaml --run 20260102-030405-678901 --output report.html
"""


@click.command(epilog=EPILOG)
@CONFIG
@OVERRIDES
@click.option("--run", "run_id", help="The run  [the newest]")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="The file  [report.html of the run]")
@JSON
def report(
    config_file: Path, overrides: tuple[str, ...], run_id: str | None, output: Path | None, as_json: bool
) -> None:
    """Writes the report of a run again, from what the run has left: one HTML file that needs nothing else."""

    def work() -> Path:
        from pipeline.config import load_config
        from pipeline.records import find_run
        from pipeline.reports import write_report
        from pipeline.terminal import divert_output
        from pipeline.workspace import LOG_FILE, REPORT_FILE

        config = load_config(config_file, overrides)
        run = find_run(config.workspace, run_id)
        place = output or run / REPORT_FILE
        with divert_output(run / LOG_FILE):
            write_report(run, config.served_directory, place)
        return place

    finish(
        work,
        as_json=as_json,
        to_json=lambda place: {"report": str(place)},
        show=lambda place: click.echo(f"Report: {place}"),
    )
