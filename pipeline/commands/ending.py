"""How a command ends: what it prints and its exit code."""

import json
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

import click

from interest_migration.errors import InputError, InterestMigrationError, RefusedError

DONE: Final = 0
FAILED: Final = 1
BAD_INPUT: Final = 2
REFUSED: Final = 3

Result = TypeVar("Result")


def finish(
    work: Callable[[], Result],
    *,
    as_json: bool,
    to_json: Callable[[Result], dict[str, Any]],
    show: Callable[[Result], None],
    exit_code: Callable[[Result], int] = lambda _: DONE,
) -> NoReturn:
    """Does the work, prints its result once and ends the command.

    Args:
      work: What the command does.
      as_json: Whether standard output gets one JSON document, of an error too, and nothing else.
      to_json: Result -> plain values.
      show: Prints the result for a person.
      exit_code: Result -> exit code.
    """
    try:
        result = work()
    except InterestMigrationError as error:
        code = code_of(error)
        if as_json:
            click.echo(json.dumps({"error": str(error), "exit_code": code}, indent=1))
        click.echo(f"error: {error}", err=True)
        raise SystemExit(code) from error
    if as_json:
        click.echo(json.dumps(to_json(result), indent=1, allow_nan=False))
    else:
        show(result)
    raise SystemExit(exit_code(result))


def code_of(error: BaseException) -> int:
    """Returns the exit code of an error: that of what caused it, where the user can repair that."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, InputError):
            return BAD_INPUT
        if isinstance(cause, RefusedError):
            return REFUSED
        cause = cause.__cause__
    return FAILED
