"""Tables of items and users as lines of a mapping."""

from typing import Any, Final

import pyarrow.compute as pc

from interest_migration.sources.column_names import fold
from interest_migration.sources.draft_fields import (
    Doubts,
    Line,
    category_lines,
    choice_line,
    flow,
    number_lines,
    source_lines,
    text_line,
    time_line,
    tree_value,
)
from interest_migration.sources.draft_tables import Table
from interest_migration.sources.draft_words import name_weight

_FEW: Final = 50
_PERSONAL: Final = ("name", "mail", "phone", "address", "street", "birth", "ip", "passport", "card")


def item_lines(table: Table, tree: Table | None, events: Table, doubts: Doubts) -> list[Line]:
    """Writes an item table."""
    lines = [*source_lines(table, 1, doubts), _id_line(table, "item", events, doubts)]
    lines += category_lines(table, 1, tree, doubts, needed=events.categories is None)
    lines += [choice_line(1, "brand", table.roles["brand"])] if "brand" in table.roles else []
    if "brand" not in table.roles and "store" in map(str.casefold, table.looks):
        store = next(name for name in table.looks if name.casefold() == "store")
        lines.append(Line(1, f"brand: {flow(store)}", "a guess"))
    lines += number_lines(table, 1, totals=False)
    for role in ("title", "text"):
        if role in table.roles:
            lines.append(text_line(table, 1, role, ""))
            break
    return lines


def property_lines(table: Table, tree: Table | None, events: Table, doubts: Doubts) -> list[Line]:
    """Writes an item table with a row for each property, of which the category's rows count."""
    key, value = str(table.named("property")), str(table.named("value"))
    words = table.looks[key].distinct.to_pylist()
    weights = {word: name_weight("category_path", word) for word in words if name_weight("category_path", word) > 0}
    lines = [*source_lines(table, 1, doubts), _id_line(table, "item", events, doubts)]
    if "time" in table.roles:
        lines.append(time_line(table, 1, "valid_from", doubts))
    if not weights:
        doubts.add(f"{table.sample.name}: none of the values of {key} looks like the name of a category; add a filter.")
        return lines
    best = max(weights, key=lambda word: weights[word])
    keep = {"column": key, "keep": best}
    lines += [Line(1, "filters:"), Line(2, f"- {flow(keep)}", "likely")]
    path: dict[str, Any] = {"column": value}
    if tree:
        path["tree"] = tree_value(tree)
    return [*lines, Line(1, f"category_path: {flow(path)}")]


def user_lines(table: Table, doubts: Doubts) -> list[Line]:
    """Writes a user table: its columns with few values are attributes."""
    lines = [*source_lines(table, 1, doubts), choice_line(1, "id", table.roles["user"])]
    others = {name: look for name, look in table.looks.items() if name != table.roles["user"].column}
    few = [name for name, look in others.items() if 1 < len(look.distinct) <= _FEW and look.time is None]
    names = [name for name in few if not any(part in fold(name) for part in _PERSONAL)] or list(others)[:1]
    return [*lines, Line(1, f"attributes: {flow(names)}", "columns with few values; leave out what names people")]


def _id_line(table: Table, role: str, events: Table, doubts: Doubts) -> Line:
    choice = table.roles[role]
    own = events.column(role)
    if own and table.looks[choice.column].distinct and events.looks[own].distinct:
        known = pc.is_in(events.looks[own].distinct, table.looks[choice.column].distinct)
        if not pc.any(known).as_py():
            doubts.add(
                f"{table.sample.name}: no {choice.column} of the sample is an item ({own}) of {events.sample.name}; "
                "the samples may be too short, or the columns may be others."
            )
    return choice_line(1, "id", choice)
