"""`interest-migration check-model`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.ending import DONE, REFUSED, finish
from pipeline.commands.options import JSON

if TYPE_CHECKING:
    from interest_migration.gates.decision import Decision

EPILOG = """\b
Examples:
  interest-migration check-model workspace/demo/served/interests/1 --config configs/demo.yaml
  interest-migration check-model /models/interests/7 --examples one.gz --set tolerance=1e-4 --json
"""


@click.command("check-model", epilog=EPILOG)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration: its newest finished run's test examples are replayed, by its section serving_gate.",
)
@click.option(
    "--examples", type=click.Path(path_type=Path), help="Gzip TFRecord file of raw examples, or their folder."
)
@click.option("--set", "overrides", multiple=True, metavar="FIELD=VALUE", help="One bound, as p50_ms=10. Repeatable.")
@JSON
def check_model(
    model: Path, config_file: Path | None, examples: Path | None, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Holds a model's folder against the serving gate; nothing is pushed.

    Checks its files, loads it in a process of its own, replays examples through every signature and measures time and
    memory. Ends with 0 if it may be served and with 3 if it is refused.
    """
    if config_file is None and examples is None:
        raise click.UsageError("expected --config or --examples")

    def work() -> "Decision":
        from pipeline.serving_gate import judge_folder

        return judge_folder(model, config_file, examples, overrides)

    finish(
        work,
        as_json=as_json,
        to_json=lambda decision: decision.to_json(),
        show=_show,
        exit_code=lambda decision: DONE if decision.passed else REFUSED,
    )


def _show(decision: "Decision") -> None:
    for check in decision.checks:
        click.echo(f"{check.verdict:<8} {check.rule}: {check.reason}")
    for note in decision.notes:
        click.echo(f"note     {note}")
    click.echo(f"Verdict: {'may be served' if decision.passed else 'refused'}")
