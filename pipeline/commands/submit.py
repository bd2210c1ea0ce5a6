"""`interest-migration submit`."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.ending import DONE, finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES, SPAN

if TYPE_CHECKING:
    from pipeline.kubeflow.schedule import Schedule
    from pipeline.kubeflow.submission import Submission
    from pipeline.kubeflow.submit_settings import Connection
    from pipeline.kubeflow.verdict import Verdict
    from pipeline.run import Plan

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


@dataclass(frozen=True)
class Result:
    """What a submission ended with.

    Attributes:
      run: Id of the run, or of the recurring run.
      page: Its page; None for a recurring run.
      submission: What was sent.
      verdict: What became of the run; None if nobody waited.
      replaced: Recurring runs that this one replaced.
    """

    run: str
    page: str | None
    submission: "Submission"
    verdict: "Verdict | None"
    replaced: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return {
            "run": self.run,
            "page": self.page,
            "pipeline": self.submission.pipeline,
            "version": self.submission.version,
            "experiment": self.submission.experiment,
            "name": self.submission.job,
            "parameters": self.submission.parameters,
            "verdict": self.verdict and asdict(self.verdict),
            "replaced": list(self.replaced),
        }


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
def submit(config_file: Path, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Runs the pipeline on Kubeflow Pipelines, now or on a schedule.

    Looks up span and fingerprint of the data as `run` does, compiles the pipeline, uploads a version of it if there is
    none, starts a run and watches it. Ends as `run` does: with 0 if the model was pushed, with 3 if a gate refused it
    or its data, with 1 if a step failed or the verdict could not be read. A recurring run has no span: each of its runs
    reads all logs that there are by then; submit runs on partitioned logs one by one.
    """
    if dry_run:
        finish(
            lambda: _describe(*_prepare(config_file, **options)),
            as_json=as_json,
            to_json=dict,
            show=_show_plan,
        )
    finish(
        lambda: _submit(*_prepare(config_file, **options), wait=options["wait"]),
        as_json=as_json,
        to_json=lambda result: result.to_json(),
        show=_show,
        exit_code=lambda result: result.verdict.exit_code if result.verdict else DONE,
    )


def _prepare(
    config_file: Path,
    input_root: str | None,
    span: str | None,
    overrides: tuple[str, ...],
    host: str | None,
    namespace: str | None,
    every: str | None,
    cron: str | None,
    without_data: bool,
    wait: bool,
) -> "tuple[Plan, Submission, Connection, tuple[str, ...]]":
    from pipeline.config import load_config
    from pipeline.kubeflow.schedule import parse_schedule
    from pipeline.kubeflow.submission import plan_submission
    from pipeline.kubeflow.submit_settings import find_connection

    del wait
    schedule = parse_schedule(every, cron)
    config = load_config(config_file, overrides, input_root)
    connection = find_connection(config.submit, host, namespace)
    with _quiet():
        from pipeline.kubeflow.compile import compile_pipeline
        from pipeline.kubeflow.parameters import runtime_parameters
        from pipeline.kubeflow.resources import named_tasks

        plan, resolved = _look_up(config, span, schedule, without_data=without_data)
        compiled = compile_pipeline(plan, resolved)
        parameters = {name: runtime_parameters(plan, resolved)[name] for name in compiled.parameters}
    submission = plan_submission(
        compiled,
        parameters,
        config.submit,
        _job_name(plan, schedule),
        pipeline_root=config.kubeflow.pipeline_root if config.kubeflow else "",
        schedule=schedule,
    )
    return plan, submission, connection, tuple(name for name, _ in named_tasks(compiled.pipeline_spec))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the libraries' messages from the terminal; errors are raised all the same."""
    from pipeline.terminal import divert_output

    with tempfile.TemporaryDirectory() as folder, divert_output(Path(folder) / "messages.txt"):
        yield


def _look_up(config: Any, span: str | None, schedule: "Schedule | None", *, without_data: bool) -> Any:
    """Finds out about the data what can be known here and is still true when the run starts."""
    from interest_migration.errors import ConfigError
    from pipeline.kubeflow.lookup import look_up, plan_without_data
    from pipeline.run import read_plan

    if schedule is None and not without_data:
        plan = read_plan(config, span)
        return plan, look_up(plan)
    if config.data.partitions is not None or span is not None:
        asked = "a recurring run" if schedule else "--without-data"
        raise ConfigError(
            f"expected one run whose partitions can be seen here, received {asked}: a run reads the span that is "
            "chosen when it is submitted. Submit each run where the partitions are mounted, after each delivery"
        )
    plan = plan_without_data(config)
    return plan, look_up(plan, read_data=False)


def _job_name(plan: "Plan", schedule: "Schedule | None") -> str:
    if schedule:
        return plan.config.name
    data = plan.spans.name if plan.spans else ""
    return " ".join(filter(None, [plan.config.name, data, datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M:%S")]))


def _describe(
    plan: "Plan", submission: "Submission", connection: "Connection", steps: tuple[str, ...]
) -> dict[str, Any]:
    del plan, steps
    return {
        "host": connection.host,
        "authorization": "Bearer ..." if connection.token or connection.token_file else None,
        "requests": submission.describe(connection.namespace),
    }


def _submit(
    plan: "Plan", submission: "Submission", connection: "Connection", steps: tuple[str, ...], *, wait: bool
) -> Result:
    from pipeline.kubeflow.api import PipelinesApi
    from pipeline.kubeflow.submission import submit as send
    from pipeline.kubeflow.watching import Watch, watch_run

    api = PipelinesApi(connection)
    sent = send(submission, api, connection.namespace)
    if submission.schedule:
        return Result(sent.run_id, None, submission, None, sent.replaced)
    page = connection.run_page(sent.run_id)
    _say(f"{submission.job}: run {sent.run_id}, version {submission.version}\n{page}")
    settings, kubeflow = plan.config.submit, plan.config.kubeflow
    watch = Watch(
        steps=steps,
        poll_seconds=settings.poll_seconds,
        patience_seconds=settings.patience_seconds,
        fails_when_refused=bool(kubeflow and kubeflow.fail_when_refused),
        show=_say,
    )
    verdict = _watching(lambda: watch_run(api, sent.run_id, watch), page) if wait else None
    return Result(sent.run_id, page, submission, verdict, ())


def _watching(watch: "Callable[[], Verdict]", page: str) -> "Verdict":
    from interest_migration.errors import InterestMigrationError

    try:
        return watch()
    except InterestMigrationError as error:
        error.args = (f"the run goes on, but cannot be watched: {error}. Its page: {page}",)
        raise


def _say(text: str) -> None:
    click.echo(text, err=True)


def _show_plan(plan: dict[str, Any]) -> None:
    """Prints the requests, and after them the file that one of them uploads."""
    files = [request["file"] for request in plan["requests"] if "file" in request]
    requests = [{**each, "file": "<below>"} if "file" in each else each for each in plan["requests"]]
    click.echo(json.dumps({**plan, "requests": requests}, indent=1))
    for file in files:
        click.echo(f"---\n{file}", nl=False)


def _show(result: Result) -> None:
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
