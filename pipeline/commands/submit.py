"""`interest-migration submit`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.ending import DONE, finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES, SPAN

if TYPE_CHECKING:
    from pipeline.kubeflow.submitting import Order, Result
    from pipeline.kubeflow.verdict import Verdict

EPILOG = """\b
Examples:
  interest-migration submit --config configs/kubeflow.yaml --dry-run
  interest-migration submit --config configs/kubeflow.yaml --span 2024-01-31
  interest-migration submit --config configs/kubeflow.yaml --without-data --no-wait
  interest-migration submit --config configs/kubeflow.yaml --cron "30 4 * * *"
\b
Environment:
  KF_PIPELINES_ENDPOINT        address of the API, as --host
  KF_PIPELINES_UI_ENDPOINT     address of the pages, if it is another
  KF_PIPELINES_NAMESPACE       as --namespace
  KF_PIPELINES_TOKEN           bearer token
  KF_PIPELINES_SA_TOKEN_PATH   file with a bearer token, which may be renewed while a run is watched
"""


@click.command(epilog=EPILOG)
@CONFIG
@click.option("--input", "input_root", help="Logs as the steps see them; replaces data.input.")
@SPAN
@OVERRIDES
@click.option("--host", help="Address of the API, such as http://localhost:8888; replaces submit.host.")
@click.option("--namespace", help="Namespace of the run, where Kubeflow has several users; replaces submit.namespace.")
@click.option("--every", metavar="TIME", help="Start a run again and again: 30m, 6h, 1d, 1w.")
@click.option("--cron", metavar="FIELDS", help="Start runs at times in UTC: '30 4 * * *'.")
@click.option("--without-data", is_flag=True, help="Submit where the logs cannot be read; ingestion is never cached.")
@click.option("--wait/--no-wait", default=True, help="Whether to watch the run to its end.  [wait]")
@click.option("--dry-run", is_flag=True, help="Print every request that would be sent; connect to nothing.")
@JSON
def submit(dry_run: bool, wait: bool, as_json: bool, **options: Any) -> None:
    """Runs the pipeline on Kubeflow Pipelines, now or on a schedule.

    Looks up span and fingerprint of the data as `run` does, compiles the pipeline, uploads a version of it if there is
    none, starts a run and watches it. Ends as `run` does: with 0 if the model was pushed, with 3 if a gate refused it
    or its data, with 1 if a step failed or the verdict could not be read. On a schedule, a step inside the cluster does
    the same each time, so that every run reads the newest data; a schedule takes the place of the one before.
    """
    if dry_run:
        finish(lambda: _order(**options).describe(), as_json=as_json, to_json=dict, show=_show_plan)
    finish(
        lambda: _carry_out(_order(**options), wait=wait),
        as_json=as_json,
        to_json=lambda result: result.to_json(),
        show=_show,
        exit_code=lambda result: result.verdict.exit_code if result.verdict else DONE,
    )


def _order(
    config_file: Path,
    input_root: str | None,
    span: str | None,
    overrides: tuple[str, ...],
    host: str | None,
    namespace: str | None,
    every: str | None,
    cron: str | None,
    without_data: bool,
) -> "Order":
    from interest_migration.errors import ConfigError
    from pipeline.config import load_config
    from pipeline.kubeflow.schedule import parse_schedule
    from pipeline.kubeflow.submit_settings import find_connection
    from pipeline.kubeflow.submitting import order_run, order_schedule

    schedule = parse_schedule(every, cron)
    if schedule and span is not None:
        raise ConfigError(
            "--span: expected no span for a schedule, since each of its runs reads the newest, received one"
        )
    config = load_config(config_file, overrides, input_root)
    connection = find_connection(config.submit, host, namespace)
    if schedule:
        return order_schedule(config, connection, schedule)
    return order_run(config, connection, span, without_data=without_data)


def _carry_out(order: "Order", *, wait: bool) -> "Result":
    from pipeline.kubeflow.submitting import carry_out

    return carry_out(order, lambda text: click.echo(text, err=True), wait=wait)


def _show_plan(plan: dict[str, Any]) -> None:
    """Prints the requests, and after them the file that one of them uploads."""
    files = [request["file"] for request in plan["requests"] if "file" in request]
    requests = [{**each, "file": "<below>"} if "file" in each else each for each in plan["requests"]]
    click.echo(json.dumps({**plan, "requests": requests}, indent=1))
    for file in files:
        click.echo(f"---\n{file}", nl=False)


def _show(result: "Result") -> None:
    if result.submission.schedule:
        click.echo(f"Recurring run {result.submission.job}: {result.run}")
        for each in result.replaced:
            click.echo(f"Replaced: {each}")
    elif result.verdict is None:
        click.echo(f"Run {result.run}: {result.page}")
    else:
        _show_verdict(result.verdict)
        click.echo(f"Run: {result.page}")


def _show_verdict(verdict: "Verdict") -> None:
    version = f", version {verdict.version}" if verdict.version else ""
    step = f", at {verdict.failed_step}" if verdict.failed_step else ""
    click.echo(f"Verdict: {verdict.state}{version}{step}")
    for reason in [*verdict.reasons, *([verdict.error] if verdict.error else [])]:
        click.echo(f"  {reason}")
    if not verdict.told:
        click.echo("  (from the states of the steps: the log of the exit handler could not be read)")
