"""`interest-migration benchmark sequences`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import JSON

if TYPE_CHECKING:
    from interest_migration.sequences.benchmark import BenchmarkResult

EPILOG = """\b
Examples:
  interest-migration benchmark sequences --input Beauty.txt --attributes Beauty_item2attributes.json
  interest-migration benchmark sequences --input Toys.txt --seed 1 --budget-seconds 600 --json
"""


@click.command(epilog=EPILOG)
@click.option(
    "--input",
    "sequence_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="One user a line: the user, then items from old to new.",
)
@click.option(
    "--attributes",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON: item -> list of attribute ids (categories, brand).",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of weights, order, dropout and resamples.")
@click.option(
    "--budget-seconds", type=click.FloatRange(min=1), help="Ends training before the epoch that would pass it."
)
@click.option("--resamples", type=click.IntRange(min=0), default=200, show_default=True, help="Of the 95 % intervals.")
@JSON
def sequences(
    sequence_file: Path,
    attributes: Path | None,
    seed: int,
    budget_seconds: float | None,
    resamples: int,
    as_json: bool,
) -> None:
    """Trains the product's model on a file of item sequences and ranks every user's last item.

    The last item of a user is the test, the one before chooses the epoch, all others train. Every item is ranked but
    those that the user's sequence holds already. Weights and transition counts come from the training part alone; at
    the test, the validation item is read as part of the history. Counting methods stand beside it, by the same split
    and ranking.
    """

    def work() -> "BenchmarkResult":
        from interest_migration.sequences.benchmark import run_benchmark

        return run_benchmark(
            sequence_file,
            attributes,
            seed,
            budget_seconds,
            resamples,
            report=lambda line: click.echo(line, err=True),
        )

    finish(work, as_json=as_json, to_json=lambda result: result.to_plain(), show=_show)


def _show(result: "BenchmarkResult") -> None:
    from pipeline.commands.tables import make_console, print_benchmark

    print_benchmark(make_console(), result)
