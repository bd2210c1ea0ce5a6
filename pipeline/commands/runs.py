"""`interest-migration runs`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES

if TYPE_CHECKING:
    from interest_migration.report.record import RunRecord

EPILOG = """\b
Examples:
  interest-migration runs --config configs/demo.yaml
  interest-migration runs --config configs/demo.yaml --json
"""


@click.command(epilog=EPILOG)
@CONFIG
@OVERRIDES
@JSON
def runs(config_file: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Lists the runs of a workspace, newest first: how each ended, what it pushed, and where its report is."""

    def work() -> list[dict[str, Any]]:
        from interest_migration.serving.reviews import read_reviews
        from pipeline.config import load_config
        from pipeline.records import list_records

        config = load_config(config_file, overrides)
        reviews = {review.run: review for review in read_reviews(config.served_directory)}
        folder = config.workspace / "runs"
        return [_describe(record, reviews.get(record.run), folder) for record in list_records(config.workspace)]

    finish(work, as_json=as_json, to_json=lambda found: {"runs": found}, show=_show)


def _describe(record: "RunRecord", review: Any, folder: Path) -> dict[str, Any]:
    from pipeline.workspace import LOG_FILE, REPORT_FILE

    report = folder / record.run / REPORT_FILE
    released = review.version if review is not None else None
    return {
        "run": record.run,
        "started": record.started,
        "seconds": record.seconds,
        "span": record.inputs.get("span"),
        "state": record.state.value,
        "failed_step": record.failed_step or None,
        "error": record.error or None,
        "version": record.pushed.version if record.pushed else released,
        "review": review.describe() if review is not None else None,
        "report": str(report) if report.exists() else None,
        "log": str(folder / record.run / LOG_FILE),
    }


def _show(found: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from interest_migration.report.formats import NONE, duration, moment
    from pipeline.commands.tables import make_console

    table = Table(box=box.SIMPLE)
    for name in ("started", "run"):
        table.add_column(name, no_wrap=True)
    for name in ("took", "span", "version"):
        table.add_column(name, justify="right")
    table.add_column("how it ended")
    for run in found:
        ending = f"failed at {run['failed_step']}" if run["state"] == "failed" and run["failed_step"] else run["state"]
        review = f"; {run['review']}" if run["review"] else ""
        version = NONE if run["version"] is None else str(run["version"])
        cells = (moment(run["started"]), run["run"], duration(run["seconds"]), run["span"] or NONE, version)
        table.add_row(*cells, escape(f"{ending}{review}"))
    console = make_console()
    console.print(table if found else "No run yet.")
    reports = [run["report"] for run in found if run["report"]]
    if reports:
        console.print(f"Newest report: {reports[0]}", soft_wrap=True)
