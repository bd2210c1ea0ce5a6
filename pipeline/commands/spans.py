"""`interest-migration spans`."""

from pathlib import Path
from typing import Any

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES

EPILOG = """\b
Examples:
  interest-migration spans --config configs/demo-spans.yaml
  interest-migration spans --config configs/demo-spans.yaml --verify --json
"""


@click.command(epilog=EPILOG)
@CONFIG
@click.option("--input", "input_root", help="Logs: the folder that holds the partitions; replaces data.input.")
@OVERRIDES
@click.option("--verify", is_flag=True, help="Read every byte, and say which spans changed since a run used them.")
@JSON
def spans(config_file: Path, input_root: str | None, overrides: tuple[str, ...], verify: bool, as_json: bool) -> None:
    """Lists the dated partitions of a log: span, date, files, bytes, and the finished run that used them last.

    Spans that are missing between others are listed too.
    """

    def work() -> list[dict[str, Any]]:
        from pipeline.config import load_config
        from pipeline.span_listing import list_spans

        return list_spans(load_config(config_file, overrides, input_root), verify=verify)

    finish(work, as_json=as_json, to_json=lambda rows: {"spans": rows}, show=_show)


def _show(rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    from pipeline.commands.tables import make_console

    table = Table(box=box.SIMPLE)
    for name, justify in (("span", "right"), ("date", "left"), ("files", "right"), ("bytes", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for name in ("state", "used by run"):
        table.add_column(name)
    for row in rows:
        table.add_row(
            str(row["span"]),
            row["date"] or "",
            f"{row['files']:,}",
            f"{row['bytes']:,}",
            row["state"],
            row["used_by"] or "",
        )
    make_console().print(table)
