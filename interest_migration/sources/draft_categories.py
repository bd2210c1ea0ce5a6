"""Which columns of a sample make the category path."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from interest_migration.sources.draft_columns import ColumnLook, determines
from interest_migration.sources.draft_roles import GUESS, LIKELY, SURE, Choice, Looks
from interest_migration.sources.draft_words import name_weight


@dataclass(frozen=True)
class CategoryChoice:
    """The category path.

    Attributes:
      value: What the mapping says of it.
      columns: The columns it reads.
      confidence: `certain`, `likely` or `a guess`.
      others: Columns that were considered instead.
    """

    value: Any
    columns: tuple[str, ...]
    confidence: str
    others: tuple[str, ...] = ()


def choose_categories(looks: Looks, taken: Collection[str]) -> CategoryChoice | None:
    """Chooses a column with whole paths, or else several with a level each, or else a single one.

    Args:
      looks: The columns of a sample.
      taken: Columns that have a role already.

    Example:
      category_code "electronics.phone", category_id -> {column: category_code, separator: ".", fallback: category_id};
      department, kind, with each kind in one department -> {columns: [department, kind]}.
    """
    weights = {name: name_weight("category_path", name) for name in looks if name not in taken}
    named = sorted((name for name, weight in weights.items() if weight > 0), key=lambda name: -weights[name])
    named = [name for name in named if looks[name].is_list or len(looks[name].texts)]
    if not named:
        return None
    paths = [name for name in named if looks[name].is_list or looks[name].separator]
    if paths:
        return _path(looks, paths[0], [name for name in named if name != paths[0]])
    levels = _levels([looks[name] for name in named])
    if len(levels) > 1:
        others = tuple(name for name in named if name not in levels)
        return CategoryChoice({"columns": levels}, tuple(levels), LIKELY, others)
    best, *rest = named
    confidence = SURE if weights[best] > 2 and not rest else LIKELY if weights[best] > 2 else GUESS
    return CategoryChoice(best, (best,), confidence, tuple(rest))


def _path(looks: Looks, column: str, others: list[str]) -> CategoryChoice:
    look = looks[column]
    value: dict[str, Any] = {"column": column}
    if not look.is_list:
        value["separator"] = look.separator
    fallback = others[:1] if look.filled < 1 else []
    if fallback:
        value["fallback"] = fallback[0]
    simple = column if value == {"column": column} else value
    return CategoryChoice(simple, (column, *fallback), SURE if look.is_list else LIKELY, tuple(others[len(fallback) :]))


def _levels(looks: list[ColumnLook]) -> list[str]:
    """Returns the longest chain of columns, from broad to narrow, each of which the next one determines."""
    by_size = sorted(looks, key=lambda look: len(look.distinct))
    chain = [by_size[-1]]
    for look in reversed(by_size[:-1]):
        if determines(chain[0], look):
            chain.insert(0, look)
    return [look.name for look in chain]


def choose_unnamed(looks: Looks, roles: dict[str, Choice]) -> tuple[dict[str, Choice], CategoryChoice | None]:
    """Guesses user, item and category where columns have no names: by position, by variety, by dependence.

    The user is taken to come first; the item is the column with the most distinct values, and the category one that
    the item determines.
    """
    taken = {choice.column for choice in roles.values()}
    ids = [look for name, look in looks.items() if name not in taken and not look.is_list and look.average_length <= 64]
    if not ids:
        return {}, None
    user, *rest = ids
    found = {"user": Choice(user.name, GUESS, tuple(look.name for look in rest))}
    if not rest:
        return found, None
    item = max(rest, key=lambda look: len(look.distinct))
    others = [look for look in rest if look is not item]
    found["item"] = Choice(item.name, GUESS, tuple(look.name for look in others))
    broad = [look.name for look in others if determines(item, look)]
    return found, CategoryChoice(broad[0], (broad[0],), GUESS, tuple(broad[1:])) if broad else None
