"""What the samples are to each other: events, items, users, a category tree."""

from dataclasses import dataclass
from typing import Final

from interest_migration.sources.column_names import fold
from interest_migration.sources.draft_categories import CategoryChoice, choose_categories, choose_unnamed
from interest_migration.sources.draft_roles import Choice, Looks, choose_roles, looks_of
from interest_migration.sources.draft_samples import Sample
from interest_migration.sources.draft_words import NAMES, name_weight

EVENTS: Final = "events"
ITEMS: Final = "items"
PROPERTIES: Final = "properties"
USERS: Final = "users"
TREE: Final = "tree"
UNKNOWN: Final = "unknown"
_OF_ITEMS: Final = ("brand", "price", "text", "title")


@dataclass(frozen=True)
class Table:
    """Samples with the same columns.

    Attributes:
      kind: One of the constants of this module. `properties` are items with a row for each property.
      samples: The files.
      looks: Columns of the first.
      roles: Role -> column.
      categories: The category path, if there is one.
    """

    kind: str
    samples: tuple[Sample, ...]
    looks: Looks
    roles: dict[str, Choice]
    categories: CategoryChoice | None

    @property
    def sample(self) -> Sample:
        """The first of the files."""
        return self.samples[0]

    @property
    def unnamed(self) -> bool:
        """Whether the file has no header."""
        return "columns" in self.sample.options.get("csv", {})

    def column(self, role: str) -> str | None:
        """Returns the column of a role."""
        return self.roles[role].column if role in self.roles else None

    def named(self, role: str) -> str | None:
        """Returns the column that is known by its name for a role such as `parent`, whatever else it is."""
        return next((name for name in self.looks if fold(name) in NAMES[role]), None)


def tell_tables(samples: list[Sample]) -> list[Table]:
    """Groups samples with equal columns and says what each group is."""
    groups: dict[tuple[str, ...], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.format, *sorted(map(fold, sample.columns))), []).append(sample)
    return [
        _tell(group, [name for sample in samples if sample not in group for name in sample.columns])
        for group in groups.values()
    ]


def _tell(samples: list[Sample], elsewhere: list[str]) -> Table:
    sample = samples[0]
    looks = looks_of(sample.columns)
    roles = choose_roles(looks, elsewhere)
    categories: CategoryChoice | None
    if "columns" in sample.options.get("csv", {}):
        told = {role: choice for role, choice in roles.items() if role in ("time", "action")}  # by their values
        guessed, categories = choose_unnamed(looks, told)
        roles = told | guessed
    else:
        categories = choose_categories(looks, {choice.column for choice in roles.values()})
    table = Table(UNKNOWN, tuple(samples), looks, roles, categories)
    return Table(_kind(table), table.samples, looks, roles, categories)


def _kind(table: Table) -> str:
    has = table.roles.__contains__
    ids = [name for name in table.looks if name_weight("category_path", name) > 2 or fold(name) == "id"]
    if table.named("parent") and ids and not has("user"):
        return TREE
    if has("user") and has("time"):
        declared = not (has("item") or has("action")) and not table.looks[str(table.column("user"))].repeats
        return USERS if declared and _is_attribute(table) else EVENTS
    if has("user") and not table.looks[str(table.column("user"))].repeats:
        return USERS
    if has("item") and not has("user"):
        if table.named("property") and table.named("value"):
            return PROPERTIES
        return ITEMS if table.categories or any(map(has, _OF_ITEMS)) else UNKNOWN
    return UNKNOWN


def _is_attribute(table: Table) -> bool:
    """Whether the time of a table with one row for each user says no more than when they registered."""
    return name_weight("time", str(table.column("time"))) < 2
