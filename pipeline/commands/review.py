"""`interest-migration review`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES

if TYPE_CHECKING:
    from pipeline.reviews import Reviewed

EPILOG = """\b
Examples:
  interest-migration review --config configs/demo.yaml --release --by "Ada Lovelace" \\
      --reason "the test days fall into the strike; slices agree with last month"
  interest-migration review --config configs/demo.yaml --run 20260102-030405-678901 --hold --by Ada --reason "wait"
"""


@click.command(epilog=EPILOG)
@CONFIG
@OVERRIDES
@click.option("--run", "run_id", help="The run whose model is meant  [the newest finished one]")
@click.option(
    "--release/--hold", "release", required=True, default=None, help="Push it though refused, or keep it back."
)
@click.option("--by", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why, in a sentence.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and do nothing.")
@JSON
def review(
    config_file: Path,
    overrides: tuple[str, ...],
    run_id: str | None,
    release: bool,
    by: str,
    reason: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Records a person's decision about the model of a run, against or beside the gate's.

    A released model is pushed now. A held one is not pushed by any later run, whatever the gate says, until somebody
    releases it. The record lies beside the served versions and is shown with every run that makes the same model.
    """

    def work() -> "Reviewed":
        from interest_migration.errors import ConfigError
        from interest_migration.serving.reviews import Action
        from pipeline.config import load_config
        from pipeline.reviews import review_model

        if not by.strip() or not reason.strip():
            raise ConfigError("--by and --reason: expected a name and a reason, received an empty one")
        action = Action.RELEASE if release else Action.HOLD
        config = load_config(config_file, overrides)
        return review_model(config, run_id, action, by.strip(), reason.strip(), rehearse=dry_run)

    finish(work, as_json=as_json, to_json=lambda reviewed: reviewed.to_json(), show=_show)


def _show(reviewed: "Reviewed") -> None:
    what = reviewed.review
    verb = "Recorded" if reviewed.recorded else "Would record"
    click.echo(f"{verb}: the model of run {what.run}, {what.describe()}")
    if what.version is not None:
        click.echo(f"Served as version {what.version} in {reviewed.directory}")
    if reviewed.still_served is not None:
        click.echo(
            f"Version {reviewed.still_served} still serves this model. To take it out of service: "
            "interest-migration models rollback"
        )
