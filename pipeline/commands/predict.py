"""`interest-migration predict`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from pipeline.commands.ending import finish
from pipeline.commands.options import JSON

if TYPE_CHECKING:
    from interest_migration.client import Prediction, Ranked

EPILOG = """\b
Examples:
  interest-migration predict --address grpc://127.0.0.1:8500 --events users.json
  echo '{"events": [{"time_s": 1700000000, "action": "view", "item": "lamp", "category_path": "home > lamps"}]}' |
    interest-migration predict --address http://127.0.0.1:8501 --label stable --events - --json
"""
_SHOWN = 3


@click.command(epilog=EPILOG)
@click.option("--address", required=True, help="grpc://host:port or http://host:port of TensorFlow Serving or `serve`.")
@click.option("--model", default="interests", show_default=True, help="Name of the model.")
@click.option("--version", type=click.IntRange(0), help="Version to ask  [the highest that is loaded]")
@click.option("--label", help="Label whose version to ask, such as stable or canary.")
@click.option(
    "--events",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    required=True,
    help="JSON of one user, {name, at_s, events: [{time_s, action, item, ...}]}, or a list; - reads standard input.",
)
@click.option("--timeout-s", type=float, default=10.0, show_default=True, help="For all attempts together.")
@JSON
def predict(
    address: str, model: str, version: int | None, label: str | None, events: Path, timeout_s: float, as_json: bool
) -> None:
    """Asks a served model about users: next categories, migration, churn, items.

    Fields of an event: time_s (Unix seconds) and action; item, category_path ("home > lamps"), brand, platform, text,
    session, price and quantity where known. at_s is the moment asked about, now if absent.
    """

    def work() -> "list[Prediction]":
        from interest_migration.client import Client
        from interest_migration.client.user_files import read_users

        users = read_users(_read(events), str(events))
        with Client(address, model, version=version, label=label, timeout_s=timeout_s) as client:
            return client.predict(users)

    finish(work, as_json=as_json, to_json=_to_json, show=_show)


def _read(path: Path) -> bytes:
    from interest_migration.errors import DataError

    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"expected a readable file of users, received {path}: {error.strerror}") from error


def _to_json(predictions: "list[Prediction]") -> dict[str, Any]:
    return {"predictions": [prediction.to_json() for prediction in predictions]}


def _show(predictions: "list[Prediction]") -> None:
    table = Table(box=box.SIMPLE)
    for name in ("user", "now in", "leaves it", "next categories", "new interests", "churn short, long", "items"):
        table.add_column(name, overflow="fold")
    for number, found in enumerate(predictions):
        table.add_row(
            found.user or str(number),
            found.current_category or "-",
            f"{found.switch_probability:.2f}",
            _names(found.next_categories),
            _names(found.new_interests["short"]),
            ", ".join(f"{probability:.2f}" for probability in found.churn.values()),
            "\n".join(item.name for item in found.items[:_SHOWN]),
        )
    console = Console()
    console.print(table)
    versions = {f"version {found.version or 'unknown'}, model {found.model_id}" for found in predictions}
    console.print("; ".join(sorted(versions)))


def _names(ranked: "tuple[Ranked, ...]") -> str:
    return "\n".join(f"{each.name} {each.value:.2f}" for each in ranked[:_SHOWN])
