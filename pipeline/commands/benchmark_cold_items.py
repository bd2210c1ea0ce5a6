"""`interest-migration benchmark cold-items`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES

if TYPE_CHECKING:
    from interest_migration.cold_items.draws import Averaged
    from interest_migration.cold_items.scoring import Ranked

EPILOG = """\b
Examples:
  interest-migration benchmark cold-items --config configs/demo-text.yaml
  interest-migration benchmark cold-items --config configs/demo-text.yaml --draws 20 --untrained
  interest-migration benchmark cold-items --config configs/demo-text.yaml --sample 0.2 --set training.epochs=3 --json
"""


@click.command("cold-items", epilog=EPILOG)
@CONFIG
@OVERRIDES
@click.option("--share", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.1, show_default=True)
@click.option("--sample", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the first draw; the next ones count up.")
@click.option("--draws", type=click.IntRange(min=1), default=1, show_default=True, help="Draws of items to average.")
@click.option("--untrained", is_flag=True, help="Read texts with first weights, which are counts: a minute per draw.")
@JSON
def cold_items(
    config_file: Path,
    overrides: tuple[str, ...],
    share: float,
    sample: float,
    seed: int,
    draws: int,
    untrained: bool,
    as_json: bool,
) -> None:
    """Holds out a SHARE of the items, trains with and without texts, and ranks the items that were never seen.

    Needs a finished run whose configuration has a section `language`. SAMPLE is the share of the users whose examples
    are trained on; all are ranked for. Every draw trains two models, unless it is UNTRAINED.
    Intervals are over users with one draw, and over draws (Student's t) with more.
    """

    def work() -> "Ranked | Averaged":
        from interest_migration.cold_items.draws import average
        from pipeline.cold_items import rank_cold_items
        from pipeline.config import load_config

        seeds = range(seed, seed + draws)
        found = rank_cold_items(load_config(config_file, overrides), share, sample, seeds, trained=not untrained)
        return average(found) if draws > 1 else found[0]

    finish(work, as_json=as_json, to_json=asdict, show=_show)


def _show(result: "Ranked | Averaged") -> None:
    from interest_migration.cold_items.scoring import Ranked
    from pipeline.commands.tables import make_console, print_methods

    if isinstance(result, Ranked):
        asked = f"{result.examples:,} examples of {result.users:,} users ask for them"
        title = f"{result.candidates:,} items held out, {asked}"
    else:
        title = f"Means of {len(result.draws)} draws of items"
    print_methods(make_console(), title, result)
