"""`interest-migration map`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.ending import BAD_INPUT, DONE, finish
from pipeline.commands.options import JSON

if TYPE_CHECKING:
    from interest_migration.sources.draft import Draft
    from interest_migration.sources.draft_check import DraftCheck

EPILOG = """\b
Examples:
  interest-migration map --sample clicks.csv.gz --output shop.yaml
  interest-migration map --sample events.csv --sample products.csv --sample customers.parquet
  interest-migration map --sample reviews.jsonl --sample meta.jsonl --json
\b
Then:
  interest-migration ingest --mapping shop.yaml --input FOLDER --output /tmp/look
"""


@click.command(name="map", epilog=EPILOG)
@click.option(
    "--sample",
    "samples",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="A file of events, or an item table, user table or category tree that belongs to it. Repeatable.",
)
@click.option("--output", type=click.Path(path_type=Path), help="Receives the mapping  [standard output]")
@JSON
def map_samples(samples: tuple[Path, ...], output: Path | None, as_json: bool) -> None:
    """Drafts a source mapping from sample files, and tries it on them.

    Looks at the first 20,000 rows of each: CSV, JSON lines or Parquet, compressed or not. Comments in the draft say
    what is a guess and what was considered instead; what could not be told comes after it, and so does how many rows
    the draft can read. No values of identifiers are shown.

    Ends with 2 if there is no user or no time to be found, or if no row can be read with the draft.
    """

    def work() -> "tuple[Draft, DraftCheck]":
        from interest_migration.sources.draft import draft_mapping
        from interest_migration.sources.draft_check import check_draft
        from interest_migration.sources.draft_samples import read_sample

        draft = draft_mapping([read_sample(str(path)) for path in samples])
        check = check_draft(draft)
        if output:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(draft.text, encoding="utf-8")
        return draft, check

    finish(
        work,
        as_json=as_json,
        to_json=_plain,
        show=lambda result: _show(*result, output),
        exit_code=lambda result: DONE if result[1].used else BAD_INPUT,
    )


def _plain(result: "tuple[Draft, DraftCheck]") -> dict[str, Any]:
    draft, check = result
    return {
        "yaml": draft.text,
        "mapping": draft.mapping.model_dump(mode="json", exclude_defaults=True),
        "findings": [asdict(finding) for finding in draft.findings],
        "doubts": list(draft.doubts),
        "check": asdict(check),
    }


def _show(draft: "Draft", check: "DraftCheck", output: Path | None) -> None:
    """The mapping goes to standard output, or else to the file; what is said about it to standard error."""
    click.echo(f"Mapping written to {output}" if output else draft.text, nl=bool(output), err=bool(output))
    if draft.doubts:
        click.echo("\nWhat could not be told:", err=True)
    for doubt in draft.doubts:
        click.echo(f"  - {doubt}", err=True)
    click.echo("\nTried on the samples:", err=True)
    click.echo(f"  rows read      {check.rows:>12,}", err=True)
    click.echo(f"  rows used      {check.used:>12,}", err=True)
    for reason, count in sorted(check.set_aside.items()):
        click.echo(f"  set aside      {count:>12,}  {reason}", err=True)
    shares = (
        ("item", check.with_item),
        ("category", check.with_category),
        ("item in the item table", check.in_items),
        ("user in the user table", check.in_users),
    )
    for name, events in shares:
        if events is not None and check.used:
            click.echo(f"  of these with  {events / check.used:>12.0%}  {name}", err=True)
    if not check.used:
        click.echo("error: no row can be read with this draft; correct it first", err=True)
