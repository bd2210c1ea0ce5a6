"""A category path, cut at the level of interest.

Parts are paths themselves, from the top: names below different parents ("accessories" of phones and of clothes) stay
different interests. At level 1:

    "home > kitchen > knives"  ->  category "home > kitchen", parent "home", child "home > kitchen > knives"
    "home"                     ->  category "home",           parent "",     child ""
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from interest_migration.examples.strings import Codes, encode_strings
from schemas.events import PATH_SEPARATOR


@dataclass(frozen=True)
class CategoryParts:
    """The parts of each event's category path, `[N]` each."""

    category: Codes
    parent: Codes
    child: Codes


@lru_cache(maxsize=1 << 16)
def split_path(path: str, level: int) -> tuple[str, str, str]:
    """Returns (category, parent, child) of one path; what does not exist is empty.

    Args:
      path: Levels joined by `schemas.events.PATH_SEPARATOR`; empty for an event without categories.
      level: Level of interest, 0 the broadest; shorter paths use their last level.
    """
    names = path.split(PATH_SEPARATOR)
    depth = min(level, len(names) - 1)
    ends = (depth + 1, depth, depth + 2 if depth + 2 <= len(names) else 0)
    category, parent, child = (PATH_SEPARATOR.join(names[:end]) for end in ends)
    return category, parent, child


def split_categories(paths: Codes, level: int) -> CategoryParts:
    """Splits every distinct path once, and looks the parts up for each event."""
    parts = zip(*(split_path(path.decode(), level) for path in paths.values.to_pylist()), strict=True)
    category, parent, child = (_look_up(list(names), paths) for names in parts)
    return CategoryParts(category, parent, child)


def _look_up(names: list[str], paths: Codes) -> Codes:
    per_path = encode_strings([pa.array(names, pa.string())])
    return Codes(per_path.codes[paths.codes].astype(np.int32, copy=False), per_path.values)
