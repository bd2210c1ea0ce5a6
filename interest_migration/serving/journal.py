"""Records that are only ever appended to: one JSON object per line."""

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from interest_migration.errors import DataError

Entry = TypeVar("Entry")


def append(path: Path, values: Mapping[str, Any]) -> None:
    """Appends one entry, on disk when this returns; the folder is created.

    Raises:
      DataError: If it cannot be written.
    """
    line = json.dumps(values) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DataError(
            f"expected a folder for served models that can be written, received {path.parent}: {error.strerror}"
        ) from error


def read(path: Path, what: str, parse: Callable[[dict[str, Any]], Entry]) -> list[Entry]:
    """Returns all entries, oldest first; none if there is no file.

    Args:
      path: The record.
      what: What an entry is, for errors.
      parse: Makes an entry of a line's values.

    Raises:
      DataError: If a line is damaged: what was decided must not be lost unnoticed.
    """
    if not path.exists():
        return []
    entries = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entries.append(parse(json.loads(line)))
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"expected {what} in line {number} of {path}, received something else; repair it"
            ) from error
    return entries
