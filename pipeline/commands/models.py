"""`interest-migration models`: which version is served."""

from typing import TYPE_CHECKING, Any, NoReturn

import click

from pipeline.commands.compare_models import compare
from pipeline.commands.ending import finish
from pipeline.commands.model_options import change_options, place_options
from pipeline.commands.model_tables import show_change, show_list, show_log
from pipeline.commands.options import JSON

if TYPE_CHECKING:
    from interest_migration.serving.rollouts import Changed
    from pipeline.served_models import Place

EPILOG = """\b
Examples:
  interest-migration models list --config configs/demo.yaml
  interest-migration models pin --config configs/demo.yaml --reason "the sale begins on Friday"
  interest-migration models label canary 4 --config configs/demo.yaml --reason "first day of version 4"
  interest-migration models compare --config configs/demo.yaml --address grpc://127.0.0.1:8500
  interest-migration models promote --models /srv/served --by Ada --reason "agrees with 3, no slower"
  interest-migration models rollback --models /srv/served --by Ada --reason "complaints about milk"
"""
VERSION = click.IntRange(min=1)


@click.group(epilog=EPILOG)
def models() -> None:
    """Says which version is served: lists, pins, promotes, rolls back, and tries a canary. See docs/rollout.md.

    What is decided stands in models.config in the push directory, in TensorFlow Serving's own format; a running server
    reads it again. Who decided what and why stands in models.audit.jsonl beside it.
    """


@models.command("list")
@place_options
@JSON
def list_command(as_json: bool, **place: Any) -> None:
    """Lists the versions of a model: when and by which run each was pushed, its labels, and whether it is served."""
    finish(lambda: _locate(place).listing(), as_json=as_json, to_json=lambda found: found, show=show_list)


@models.command("log")
@place_options
@JSON
def log(as_json: bool, **place: Any) -> None:
    """Shows the audit log of a model, oldest entry first."""

    def work() -> list[dict[str, Any]]:
        from dataclasses import asdict

        return [asdict(entry) for entry in _locate(place).audit()]

    finish(work, as_json=as_json, to_json=lambda entries: {"entries": entries}, show=show_log)


@models.command()
@click.option("--base-path", default="", help="The model's folder as the server sees it  [push.base_path, or its path]")
@change_options
def init(base_path: str, **options: Any) -> None:
    """Writes models.config as it is understood without one, or another base path into it.

    TensorFlow Serving needs the file when it starts, before anything was pushed.
    """
    _change("init", options, base_path)


@models.command()
@click.argument("version", type=VERSION, required=False)
@change_options
def promote(version: int | None, **options: Any) -> None:
    """Serves VERSION, by default the canary. The version before stays loaded, so that a rollback is immediate."""
    _change("promote", options, version)


@models.command()
@change_options
def rollback(**options: Any) -> None:
    """Serves the version that was served before, and nothing else: canaries go."""
    _change("rollback", options)


@models.command()
@click.argument("version", type=VERSION, required=False)
@change_options
def pin(version: int | None, **options: Any) -> None:
    """Serves VERSION, by default the one served now, whatever is pushed later."""
    _change("pin", options, version)


@models.command()
@change_options
def unpin(**options: Any) -> None:
    """Serves the newest version again, whichever that is. Requests that name the label `stable` fail from then on."""
    _change("unpin", options)


@models.command()
@click.argument("name")
@click.argument("version", type=VERSION)
@change_options
def label(name: str, version: int, **options: Any) -> None:
    """Loads VERSION beside the served one under a label, such as `canary`."""
    _change("label", options, name, version)


@models.command()
@click.argument("name")
@change_options
def unlabel(name: str, **options: Any) -> None:
    """Takes a label off and unloads its version."""
    _change("unlabel", options, name)


models.add_command(compare)


def _locate(place: dict[str, Any]) -> "Place":
    from pipeline.served_models import locate

    return locate(place["config_file"], place["overrides"], place["models"], place["model"])


def _change(action: str, options: dict[str, Any], *arguments: Any) -> NoReturn:
    def work() -> "Changed":
        from interest_migration.errors import ConfigError
        from interest_migration.serving.rollouts import Author
        from pipeline.served_models import wait_of

        author = Author(options["by"].strip(), options["reason"].strip())
        if not author.by or not author.reason:
            raise ConfigError("--by and --reason: expected a name and a reason, received an empty one")
        place = _locate(options)
        wait = wait_of(place, options["address"], options["wait_seconds"])
        return place.change(action, arguments, author, wait, rehearse=options["dry_run"])

    finish(work, as_json=options["as_json"], to_json=lambda changed: changed.to_json(), show=show_change)
