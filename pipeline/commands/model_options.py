"""Options that the commands of `interest-migration models` share."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pipeline.commands.options import JSON, OVERRIDES

ADDRESS_HELP = "A server to ask: grpc://HOST:PORT or http://HOST:PORT, of TensorFlow Serving or `serve`."


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say which model is meant: `config_file`, `overrides`, `models`, `model`."""
    for option in (
        click.option("--model", help="Name of the model  [push.model_name, or the only one]"),
        click.option(
            "--models", type=click.Path(path_type=Path, file_okay=False), help="Push directory, in place of --config."
        ),
        OVERRIDES,
        click.option(
            "--config",
            "config_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Configuration whose push directory is meant.",
        ),
    ):
        command = option(command)
    return command


def change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds what every change takes: the model, `by`, `reason`, `wait_seconds`, `address`, `dry_run`, `as_json`."""
    for option in (
        JSON,
        click.option("--dry-run", is_flag=True, help="Say what would change, and do nothing."),
        click.option("--address", help=f"{ADDRESS_HELP} A change waits until it has loaded the version."),
        click.option(
            "--wait",
            "wait_seconds",
            type=click.FloatRange(min=0),
            help="Seconds that servers take to load a version; 0 where none runs  [rollout.wait_seconds]",
        ),
        click.option("--reason", required=True, help="Why, in a sentence."),
        click.option("--by", default=_login, help="Who decides  [your login name]"),
    ):
        command = option(command)
    return place_options(command)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without an entry for its user id
        return "unknown"
