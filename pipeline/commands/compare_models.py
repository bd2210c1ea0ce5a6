"""`interest-migration models compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.ending import DONE, REFUSED, finish
from pipeline.commands.model_options import ADDRESS_HELP, place_options
from pipeline.commands.options import JSON

if TYPE_CHECKING:
    from interest_migration.serving.rollout_settings import RolloutSettings
    from interest_migration.serving.traffic import Request
    from pipeline.canary import CanaryReport
    from pipeline.served_models import Place

EPILOG = """\b
Examples:
  interest-migration models compare --config configs/demo.yaml --address grpc://127.0.0.1:8500
  interest-migration models compare --models /srv/served --address http://serving:8501 \\
      --requests-log /var/log/serving --share 0.05 --duration 600 --max-latency-ms 20 --json
"""


@click.command(epilog=EPILOG)
@place_options
@click.option("--address", required=True, help=ADDRESS_HELP)
@click.option(
    "--examples",
    type=click.Path(path_type=Path),
    help="Raw examples that requests are sampled from, a gzip TFRecord file or a folder  [the newest run's test split]",
)
@click.option(
    "--requests-log",
    type=click.Path(path_type=Path, file_okay=False),
    help="What clients sent: TFRecord files of TensorFlow Serving's PredictionLog, in place of examples.",
)
@click.option("--share", type=float, help="Share of the requests that the canary gets too  [rollout.share]")
@click.option("--requests", type=int, help="Requests to send  [rollout.requests]")
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), help="Seconds, in place of --requests.")
@click.option("--concurrency", type=click.IntRange(1, 256), default=4, show_default=True, help="Requests at a time.")
@click.option("--timeout", default=5.0, show_default=True, help="Seconds for one request; none is sent twice.")
@click.option("--max-error-rate", type=float, help="Budget of failed requests  [rollout.max_error_rate]")
@click.option("--max-latency-ratio", type=float, help="Budget of p95 over stable's  [rollout.max_latency_ratio]")
@click.option("--max-latency-ms", type=float, help="Budget of p95  [rollout.max_latency_ms]")
@click.option("--min-agreement", type=float, help="Least share of same first categories  [rollout.min_agreement]")
@click.option("--min-requests", type=int, help="Requests before latency is judged  [rollout.min_requests]")
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
    help="Seconds until a canary that does not answer yet is given up  [rollout.wait_seconds]",
)
@click.option("--no-rollback", is_flag=True, help="Only report; leave the canary as it is.")
@JSON
def compare(
    address: str,
    examples: Path | None,
    requests_log: Path | None,
    duration: float | None,
    concurrency: int,
    timeout: float,
    no_rollback: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Sends the same requests to the canary and to the stable version, and compares answers, errors and latency.

    A canary that breaks a budget is taken off: its label goes, the stable version stays. Then the exit code is 3, and
    the audit log says why.
    """

    def work() -> "CanaryReport":
        from pipeline.canary import compare_canary
        from pipeline.served_models import locate

        place = locate(options["config_file"], options["overrides"], options["models"], options["model"])
        return compare_canary(
            place,
            address,
            _read(place, examples, requests_log),
            _settings(place, options),
            concurrency=concurrency,
            duration_s=duration,
            timeout_s=timeout,
            may_roll_back=not no_rollback,
        )

    def exit_code(report: "CanaryReport") -> int:
        return DONE if report.passed else REFUSED

    finish(work, as_json=as_json, to_json=lambda report: report.to_json(), show=_show, exit_code=exit_code)


def _settings(place: "Place", options: dict[str, Any]) -> "RolloutSettings":
    from interest_migration.serving.rollout_settings import RolloutSettings

    given = {name: options[name] for name in RolloutSettings.model_fields if options[name] is not None}
    return RolloutSettings.from_values({**place.settings.model_dump(), **given}, source="rollout")


def _read(place: "Place", examples: Path | None, requests_log: Path | None) -> "list[Request]":
    from interest_migration.errors import ConfigError
    from interest_migration.serving.traffic import logged_requests, sampled_requests

    if requests_log:
        return logged_requests(requests_log)
    if examples is None and place.workspace is not None:
        from pipeline.evaluation import newest_artifacts

        examples = Path(newest_artifacts(place.workspace)["examples"]) / "Split-test"
    if examples is None:
        raise ConfigError("expected --examples or --requests-log, or --config with a finished run; received none")
    return sampled_requests(examples)


def _show(report: "CanaryReport") -> None:
    from rich import box
    from rich.table import Table

    from pipeline.commands.tables import make_console

    told, console = report.to_json(), make_console()
    table = Table(box=box.SIMPLE)
    table.add_column("")
    for name in ("stable", "canary"):
        table.add_column(f"{name}, version {report.versions[name]}", justify="right")
    sides = [told["stable"], told["canary"]]
    table.add_row("requests", *(f"{side['requests']:,}" for side in sides))
    table.add_row("errors", *(f"{side['errors']:,} ({side['error_rate']:.2%})" for side in sides))
    for percentile in told["stable"]["latency_ms"]:
        table.add_row(f"latency {percentile}, ms", *(_number(side["latency_ms"][percentile]) for side in sides))
    console.print(table)
    for name, value in told["agreement"].items():
        console.print(f"  {name.replace('_', ' ')}: {value:.4f}")
    for check in report.checks:
        verdict = {True: "broken", False: "kept", None: "not judged"}[check.is_broken]
        console.print(f"Budget {check.name}: {verdict} ({_number(check.value)}, allowed {check.bound:g})")
    for error in told["canary"]["first_errors"]:
        console.print(f"  canary: {error}", markup=False, soft_wrap=True)
    console.print(_ending(report), soft_wrap=True)


def _ending(report: "CanaryReport") -> str:
    if report.passed:
        return "The canary keeps its budgets. To serve it: interest-migration models promote"
    return "The canary was taken off." if report.rolled_back else "The canary breaks a budget; it was left as it is."


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
