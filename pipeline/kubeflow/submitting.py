"""From a configuration to a run on Kubeflow, or to a schedule of runs, and to what became of the run."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from interest_migration.errors import InterestMigrationError
from pipeline.config import PipelineConfig
from pipeline.kubeflow.api import PipelinesApi
from pipeline.kubeflow.lookup import look_up, look_up_run
from pipeline.kubeflow.resources import named_tasks
from pipeline.kubeflow.schedule import Schedule
from pipeline.kubeflow.scheduled import compile_submitter
from pipeline.kubeflow.submission import Submission, plan_submission, submit
from pipeline.kubeflow.submit_settings import Connection
from pipeline.kubeflow.verdict import Verdict
from pipeline.kubeflow.watching import Watch, watch_run
from pipeline.run import read_files
from pipeline.terminal import quiet


@dataclass(frozen=True)
class Order:
    """What is to be submitted.

    Attributes:
      config: The configuration.
      connection: Where to.
      submission: What is sent.
      steps: Names of the run's steps.
    """

    config: PipelineConfig
    connection: Connection
    submission: Submission
    steps: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """Returns every request as plain values; no token is among them."""
        has_token = self.connection.token or self.connection.token_file
        return {
            "host": self.connection.host,
            "authorization": "Bearer ..." if has_token else None,
            "requests": self.submission.describe(self.connection.namespace),
        }


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
    submission: Submission
    verdict: Verdict | None = None
    replaced: tuple[str, ...] = ()

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


def order_run(config: PipelineConfig, connection: Connection, span: str | None, *, without_data: bool) -> Order:
    """Looks up the data and compiles the pipeline.

    Args:
      config: With a section `kubeflow`.
      connection: Where to.
      span: Number or date of the span of a log in dated partitions; none is the newest complete one.
      without_data: Whether the data cannot be read here.

    Raises:
      ConfigError: If something does not fit, or a span is to be chosen without the data.
      DataError: If the data cannot be read.
    """
    with quiet():
        from pipeline.kubeflow.compile import compile_pipeline

        plan, resolved = look_up_run(config, span, without_data=without_data)
        compiled = compile_pipeline(plan, resolved)
    steps = tuple(name for name, _ in named_tasks(compiled.pipeline_spec))
    data, now = plan.spans.name if plan.spans else "", datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    name = " ".join(filter(None, [config.name, data, now]))
    root = config.kubeflow.pipeline_root if config.kubeflow else ""
    return Order(config, connection, plan_submission(compiled, config.submit, name, pipeline_root=root), steps)


def order_schedule(config: PipelineConfig, connection: Connection, schedule: Schedule) -> Order:
    """Compiles the step that submits runs from inside, and the pipeline too, so that errors show now.

    Raises:
      ConfigError: If something does not fit.
    """
    with quiet():
        from pipeline.kubeflow.compile import compile_pipeline

        plan = read_files(config)
        compile_pipeline(plan, look_up(plan, read_data=False))
        compiled = compile_submitter(config, connection.namespace)
    root = config.kubeflow.pipeline_root if config.kubeflow else ""
    submission = plan_submission(compiled, config.submit, config.name, pipeline_root=root, schedule=schedule)
    return Order(config, connection, submission)


def carry_out(order: Order, say: Callable[[str], None], *, wait: bool) -> Result:
    """Sends an order, and watches a run to its end.

    Args:
      order: What is to be submitted.
      say: Receives a line when the run starts, and one for each step that ends.
      wait: Whether to watch.

    Raises:
      ConfigError: If the API refuses something.
      ApiUnavailableError: If it is away.
    """
    api, submission = PipelinesApi(order.connection), order.submission
    sent = submit(submission, api, order.connection.namespace)
    if submission.schedule:
        return Result(sent.run_id, None, submission, replaced=sent.replaced)
    page = order.connection.run_page(sent.run_id)
    say(f"{submission.job}: run {sent.run_id}, version {submission.version}\n{page}")
    return Result(sent.run_id, page, submission, _watch(order, api, sent.run_id, page, say) if wait else None)


def _watch(order: Order, api: PipelinesApi, run_id: str, page: str, say: Callable[[str], None]) -> Verdict:
    settings, kubeflow = order.config.submit, order.config.kubeflow
    watch = Watch(
        steps=order.steps,
        poll_seconds=settings.poll_seconds,
        patience_seconds=settings.patience_seconds,
        fails_when_refused=bool(kubeflow and kubeflow.fail_when_refused),
        show=say,
    )
    try:
        return watch_run(api, run_id, watch)
    except InterestMigrationError as error:
        error.args = (f"the run goes on, but cannot be watched: {error}. Its page: {page}",)
        raise
