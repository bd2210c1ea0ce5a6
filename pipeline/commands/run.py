"""`interest-migration run`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.ending import DONE, REFUSED, finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES, SPAN

if TYPE_CHECKING:
    from pipeline.outcome import Outcome

EPILOG = """\b
Examples:
  interest-migration run --config configs/demo.yaml
  interest-migration run --config configs/taobao.yaml --input ~/UserBehavior.csv
  interest-migration run --config configs/demo-spans.yaml --span 2017-12-10
  interest-migration run --config configs/demo.yaml --set training.epochs=3 --set workspace=/tmp/try --dry-run
"""


@click.command(epilog=EPILOG)
@CONFIG
@click.option("--input", "input_root", help="Logs: folder, file, glob or package:NAME/FOLDER; replaces data.input.")
@SPAN
@click.option("--latest", is_flag=True, help="The newest complete span, which is the default.")
@OVERRIDES
@click.option("--dry-run", is_flag=True, help="Validate everything and print the resolved plan, without running it.")
@JSON
def run(
    config_file: Path,
    input_root: str | None,
    span: str | None,
    latest: bool,
    overrides: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Runs the whole pipeline, from logs to a blessed, pushed model.

    Unchanged steps are reused from earlier runs in the same workspace. Of a log in dated partitions (data.partitions),
    a run reads those up to its span. Ends with 0 if the model was pushed and with 3 if a gate refused it or its data,
    or if more rows are bad than data.max_rejected_share accepts.
    """
    if span is not None and latest:
        raise click.UsageError("expected --span or --latest, received both")
    from pipeline.config import load_config
    from pipeline.run import read_plan
    from pipeline.run import run as run_plan

    if dry_run:
        finish(
            lambda: read_plan(load_config(config_file, overrides, input_root), span).describe(),
            as_json=as_json,
            to_json=dict,
            show=lambda plan: click.echo(json.dumps(plan, indent=1)),
        )
    finish(
        lambda: run_plan(read_plan(load_config(config_file, overrides, input_root), span)),
        as_json=as_json,
        to_json=lambda outcome: outcome.to_json(),
        show=lambda outcome: _show(outcome, config_file),
        exit_code=lambda outcome: DONE if outcome.pushed else REFUSED,
    )


def _show(outcome: "Outcome", config_file: Path) -> None:
    from pipeline.commands.tables import make_console, print_ingestion, print_report, print_verdict
    from pipeline.workspace import REPORT_FILE

    console = make_console()
    print_ingestion(console, outcome.ingestion)
    print_report(console, outcome.report)
    print_verdict(console, outcome)
    console.print(f"Log: {outcome.log}", soft_wrap=True)
    command = "run" if outcome.pushed is None else "evaluate"
    console.print(f"Next: interest-migration {command} --config {config_file}", soft_wrap=True)
    report = outcome.log.with_name(REPORT_FILE)
    if report.exists():
        console.print(f"Report: {report}", soft_wrap=True)
