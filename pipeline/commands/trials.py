"""`interest-migration trials`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES

if TYPE_CHECKING:
    from interest_migration.search.trials import Search

EPILOG = """\b
Examples:
  interest-migration trials --config configs/demo.yaml
  interest-migration trials --config configs/demo.yaml --json
"""


@click.command(epilog=EPILOG)
@CONFIG
@OVERRIDES
@JSON
def trials(config_file: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Lists the trials of the newest hyperparameter search of a workspace, best first, and where its best values are.

    Also while it runs. The file with the best values can be named in a configuration as search.best.
    """

    def work() -> "tuple[Path, Search]":
        from interest_migration.search.trials import Search, newest_search
        from pipeline.config import load_config

        folder = newest_search(load_config(config_file, overrides).search_directory)
        return folder, Search.read(folder)

    finish(
        work,
        as_json=as_json,
        to_json=lambda found: {"folder": str(found[0]), **asdict(found[1])},
        show=lambda found: _show(*found),
    )


def _show(folder: Path, search: "Search") -> None:
    from rich import box
    from rich.table import Table

    from interest_migration.search.trials import BEST_FILE
    from pipeline.commands.tables import make_console

    ordered = search.ranked()
    fields = list(dict.fromkeys(name for trial in ordered for name in trial.values))
    table = Table(box=box.SIMPLE)
    for name in (search.objective, *fields, "epochs", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("failed since")
    for trial in ordered:
        values = [trial.values.get(name, "") for name in fields]
        table.add_row(
            "" if trial.score is None else f"{trial.score:.4f}",
            *(f"{value:.4g}" if isinstance(value, float) else str(value) for value in values),
            str(trial.epochs),
            f"{trial.seconds:.0f}",
            trial.reason,
        )
    console = make_console()
    console.print(table)
    if search.best:
        console.print(f"Best values, for search.best: {folder / BEST_FILE}", soft_wrap=True)
