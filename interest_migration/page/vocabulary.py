"""The names that the page offers, from the vocabularies that a served version carries."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from interest_migration.errors import DataError
from interest_migration.transform.vocabularies import BRANDS, CATEGORIES, ITEMS, PLATFORMS
from schemas.events import ACTIONS

MOST: Final = {"categories": 2000, "items": 5000, "brands": 500, "platforms": 50}
"""Names offered of each kind, the most frequent first; any other can be typed."""
_FILES: Final = {"categories": CATEGORIES, "items": ITEMS, "brands": BRANDS, "platforms": PLATFORMS}


def read_vocabulary(version: Path, item_paths: Mapping[str, str]) -> dict[str, Any]:
    """Returns the names that a model knows, most frequent first.

    Args:
      version: Folder of the exported model.
      item_paths: Item -> its category path, as far as known from examples.

    Returns:
      `actions`, `categories`, `items`, `brands`, `platforms`: lists of names; `item_paths`, of these items.

    Raises:
      DataError: If the model carries no vocabularies.
    """
    names = {kind: _read(version / "assets" / file, MOST[kind]) for kind, file in _FILES.items()}
    known = {item: item_paths[item] for item in names["items"] if item in item_paths}
    return {"actions": list(ACTIONS), **names, "item_paths": known}


def _read(path: Path, most: int) -> list[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line, _ in zip(file, range(most), strict=False)]
    except OSError as error:
        raise DataError(f"expected a vocabulary of the model in {path}, received: {error.strerror}") from error
