"""The report of a run, from what its record names."""

from pathlib import Path

from components.report_artifacts import read_report
from interest_migration.report.inputs import RunReport
from interest_migration.report.render import render
from interest_migration.storage.atomic import replacing
from pipeline.records import read_record


def write_report(run: Path, served: Path, output: Path) -> None:
    """Renders the report of a run.

    Args:
      run: The run's folder.
      served: Folder of the served versions, which keeps the reviews.
      output: Receives the page, whole or not at all.

    Raises:
      DataError: If the run has no record.
    """
    page = render(gather(run, served))
    with replacing(output) as temporary:
        temporary.write_text(page, encoding="utf-8")


def gather(run: Path, served: Path) -> RunReport:
    """Reads what a run has left; what cannot be read is told of in the report."""
    return read_report(read_record(run), served)
