"""`interest-migration benchmark across-platforms`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import JSON, OVERRIDES

if TYPE_CHECKING:
    from interest_migration.across_platforms.experiment import TransferResult

EPILOG = """\b
Examples:
  interest-migration benchmark across-platforms --source configs/demo-text.yaml --target my_shop.yaml
  interest-migration benchmark across-platforms --source configs/demo-text.yaml --cut departments --json
"""
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("across-platforms", epilog=EPILOG)
@click.option("--source", type=_FILE, required=True, help="Configuration of the platform to train on.")
@click.option("--target", type=_FILE, help="Configuration of the platform to serve. Default: the source, cut in two.")
@OVERRIDES
@click.option(
    "--cut",
    type=click.Choice(("items", "departments")),
    default="items",
    show_default=True,
    help="Without a target: whether items, or all items of a department, go to one of the two halves.",
)
@click.option("--sample", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@JSON
def across_platforms(
    source: Path, target: Path | None, overrides: tuple[str, ...], cut: str, sample: float, seed: int, as_json: bool
) -> None:
    """Trains on one platform with texts alone and ranks the items of another for its users, who were never seen.

    Both need a finished run whose configuration has the same section `language`. Counting methods of the target, on its
    own training part, stand beside. SAMPLE is the share of the users of either whose examples are read. Overrides
    concern the source.

    Without a target the source is cut in two halves that share no user and no item: a stand-in for a second platform,
    not one.
    """

    def work() -> "TransferResult":
        from pipeline.across_platforms import rank_across_platforms
        from pipeline.config import load_config

        other = load_config(target, ()) if target else None
        return rank_across_platforms(load_config(source, overrides), other, cut, sample, seed)

    finish(work, as_json=as_json, to_json=asdict, show=_show)


def _show(result: "TransferResult") -> None:
    from pipeline.commands.tables import make_console, print_methods

    title = (
        f"Trained on {result.trained_on:,} examples of the source; {result.candidates:,} items of the target, "
        f"{result.examples:,} examples of {result.users:,} users"
    )
    print_methods(make_console(), title, result)
