"""The columns that a mapping names, by the names that a file has for them."""

import re
from collections.abc import Mapping, Sequence


def find_columns(wanted: Sequence[str], found: Sequence[str], aliases: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Finds each wanted column: by its name, else by an alias, else by either without regard to spelling.

    Args:
      wanted: Names in the mapping.
      found: Names in the file.
      aliases: Wanted name -> other names.

    Returns:
      Wanted name -> name in the file. What is not found, or could be several columns, keeps its wanted name.

    Example:
      wanted CustomerID, Price; found "Customer ID", "UNIT_PRICE"; aliases {Price: [UnitPrice]}
      -> {"CustomerID": "Customer ID", "Price": "UNIT_PRICE"}.
    """
    return {name: _find((name, *aliases.get(name, ())), found) or name for name in wanted}


def _find(names: Sequence[str], found: Sequence[str]) -> str | None:
    for name in names:
        if name in found:
            return name
    folded = {fold(name) for name in names}
    near = [name for name in found if fold(name) in folded]
    return near[0] if len(near) == 1 else None


def fold(name: str) -> str:
    """Returns a name without case, blanks, `_`, `-` and `.`: "Customer ID" -> "customerid"."""
    return re.sub(r"[\s_.\-\ufeff]+", "", name.casefold()) or name
