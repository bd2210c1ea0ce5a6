"""A first mapping for files about which nothing is known.

`draft_samples` finds out how the files are written, `draft_columns` what their columns look like, `draft_roles` and
`draft_categories` which column is what, `draft_tables` what the files are to each other; `draft_fields` turns that into
keys of a mapping, this module into a whole one, and `draft_check` reads the samples with it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from interest_migration.errors import DataError
from interest_migration.sources.draft_fields import Doubts, Line, stream_lines
from interest_migration.sources.draft_roles import Choice
from interest_migration.sources.draft_samples import Sample
from interest_migration.sources.draft_table_fields import item_lines, property_lines, user_lines
from interest_migration.sources.draft_tables import EVENTS, ITEMS, PROPERTIES, TREE, USERS, Table, tell_tables
from interest_migration.sources.draft_words import NAMES, name_weight
from interest_migration.sources.mapping import SourceMapping


@dataclass(frozen=True)
class Finding:
    """One role of one table.

    Attributes:
      table: Name of its first file.
      role: Such as `user`.
      columns: The columns chosen.
      confidence: `certain`, `likely` or `a guess`.
      considered: Columns that it could be instead.
    """

    table: str
    role: str
    columns: tuple[str, ...]
    confidence: str
    considered: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """A mapping that was drafted.

    Attributes:
      text: The mapping, YAML with comments.
      mapping: The same, validated.
      findings: Which column was taken for what.
      doubts: What could not be told, a sentence each.
      tables: What each sample was taken for, by kind.
    """

    text: str
    mapping: SourceMapping
    findings: tuple[Finding, ...]
    doubts: tuple[str, ...]
    tables: tuple[Table, ...]

    def of_kind(self, *kinds: str) -> list[Table]:
        """Returns the tables of some kinds."""
        return [table for table in self.tables if table.kind in kinds]


def draft_mapping(samples: Sequence[Sample]) -> Draft:
    """Drafts a mapping for samples of event files and, maybe, of item and user tables.

    Raises:
      DataError: If no sample has both a user and a time.
    """
    tables = tell_tables(list(samples))
    doubts = Doubts()
    used = [_first(tables, EVENTS, several=True), _first(tables, ITEMS, PROPERTIES), _first(tables, USERS)]
    events, items, users = used
    if not events:
        raise DataError(_missing(tables))
    tree = next((table for table in tables if table.kind == TREE), None)
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", events[0].sample.name.split(".")[0]).strip("_") or "log"
    lines = [
        Line(0, f"name: {name}"),
        Line(0, "description: Drafted by `interest-migration map`; check what is in the comments."),
    ]
    lines += [Line(0, ""), Line(0, "streams:")]
    for number, table in enumerate(events):
        lines += stream_lines(table, "events" if number == 0 else f"events_{number + 1}", tree, bool(items), doubts)
    for table in items:
        write = property_lines if table.kind == PROPERTIES else item_lines
        lines += [Line(0, ""), Line(0, "items:"), *write(table, tree, events[0], doubts)]
    for table in users:
        lines += [Line(0, ""), Line(0, "users:"), *user_lines(table, doubts)]
    chosen = [*events, *items, *users]
    if len({Path(sample.path).parent for sample in samples}) > 1:
        doubts.add("The samples lie in several folders, and the draft names them as if in one; correct `files`.")
    _note_unused([table for table in tables if table not in chosen and (table is not tree or not items)], doubts)
    text = "".join(f"{line}\n" for line in lines)
    mapping = SourceMapping.from_values(yaml.safe_load(text), source="the draft")
    kept = (*chosen, *([tree] if tree else []))
    return Draft(text, mapping, tuple(_findings(chosen)), tuple(doubts.sentences), kept)


def _first(tables: Sequence[Table], *kinds: str, several: bool = False) -> list[Table]:
    found = [table for table in tables if table.kind in kinds]
    return found if several else found[:1]


def _missing(tables: Sequence[Table]) -> str:
    parts = []
    for table in tables:
        lacking = [role for role in ("user", "time") if role not in table.roles]
        what = (
            f"no column that could be the {' or the '.join(lacking)}"
            if lacking
            else f"what seems a table of {table.kind}"
        )
        is_header = any(name_weight(role, name) > 0 for name in table.looks for role in NAMES)
        shown = f" among {', '.join(table.looks)}" if is_header and not table.unnamed else ""  # else it may be data
        parts.append(f"{table.sample.path}: expected a user and a time in each row of a log, received {what}{shown}")
    return "; ".join(parts) + ". Give a file of events, or write the mapping by hand (docs/mappings.md)"


def _note_unused(tables: Sequence[Table], doubts: Doubts) -> None:
    for table in tables:
        names = ", ".join(sample.name for sample in table.samples)
        doubts.add(f"{names}: not used, since it is not clear what it holds ({table.kind}).")


def _findings(tables: Sequence[Table]) -> list[Finding]:
    found = []
    for table in tables:
        roles: dict[str, Choice | Any] = dict(table.roles)
        for role, choice in roles.items():
            found.append(Finding(table.sample.name, role, (choice.column,), choice.confidence, choice.others))
        if path := table.categories:
            found.append(Finding(table.sample.name, "category_path", path.columns, path.confidence, path.others))
    return found
