"""Options that several commands share."""

from pathlib import Path

import click

CONFIG = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Configuration, such as configs/demo.yaml.",
)
OVERRIDES = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Overrides one value of the configuration, such as training.epochs=3. Repeatable.",
)
SPAN = click.option("--span", help="Number or date of the span of a log in dated partitions  [the newest complete one]")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
