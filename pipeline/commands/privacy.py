"""`interest-migration privacy rotate-key | erase | purge`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES

if TYPE_CHECKING:
    from pipeline.config import PipelineConfig
    from pipeline.privacy import Account

DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
EPILOG = """\b
Examples:
  interest-migration privacy rotate-key --config configs/demo.yaml --delete-artifacts
  interest-migration privacy erase --config configs/demo.yaml --list erased.csv --dry-run
  interest-migration privacy purge --config configs/demo.yaml --set retention.runs=1
"""


@click.group(epilog=EPILOG)
def privacy() -> None:
    """Rotates the key of the pseudonyms, erases users and removes old artifacts. See docs/privacy.md."""


@privacy.command("rotate-key")
@CONFIG
@OVERRIDES
@click.option("--keep-old", is_flag=True, help="Keep the old key in a file beside the new one; else it is destroyed.")
@click.option("--delete-artifacts", is_flag=True, help="Also delete every artifact with pseudonyms of the old key.")
@DRY_RUN
@JSON
def rotate_key(
    config_file: Path,
    overrides: tuple[str, ...],
    keep_old: bool,
    delete_artifacts: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Puts a new key in place of the old one; the next run reads the logs and trains anew.

    With the old key, who knows a user's id can find the user in old artifacts; with --keep-old that stays so.
    """

    def work(config: "PipelineConfig") -> "Account":
        from pipeline.privacy import rotate_key as rotate

        return rotate(config, keep_old=keep_old, delete_artifacts=delete_artifacts, dry_run=dry_run)

    _finish(work, config_file, overrides, as_json)


@privacy.command()
@CONFIG
@OVERRIDES
@click.option(
    "--list",
    "erasure_list",
    type=click.Path(path_type=Path, dir_okay=False),
    help="One raw user id per line; all must be in data.erasure_list  [data.erasure_list]",
)
@DRY_RUN
@JSON
def erase(
    config_file: Path, overrides: tuple[str, ...], erasure_list: Path | None, dry_run: bool, as_json: bool
) -> None:
    """Deletes the artifacts of earlier runs that may hold users of the erasure list.

    Those are all examples, statistics, vocabularies, rows set aside and comparisons, since they hold every user; the
    next run makes them anew without the erased users. Models that were trained before stay, and are named.
    """

    def work(config: "PipelineConfig") -> "Account":
        from pipeline.privacy import erase as erase_users

        return erase_users(config, erasure_list, dry_run=dry_run)

    _finish(work, config_file, overrides, as_json)


@privacy.command()
@CONFIG
@OVERRIDES
@DRY_RUN
@JSON
def purge(config_file: Path, overrides: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Deletes the artifacts that the `retention` settings do not keep, as every run does at its end.

    Logs, outcomes and reports of runs stay, and so does what a served model was made from.
    """

    def work(config: "PipelineConfig") -> "Account":
        from pipeline.privacy import purge as purge_artifacts

        return purge_artifacts(config, dry_run=dry_run)

    _finish(work, config_file, overrides, as_json)


def _finish(
    work: "Callable[[PipelineConfig], Account]", config_file: Path, overrides: tuple[str, ...], as_json: bool
) -> NoReturn:
    from pipeline.config import load_config

    finish(
        lambda: work(load_config(config_file, overrides)),
        as_json=as_json,
        to_json=lambda account: account.to_json(),
        show=lambda account: click.echo("\n".join(account.lines())),
    )
