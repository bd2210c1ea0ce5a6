"""Roles of columns as lines of a mapping, with comments where they were guessed."""

import json
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from interest_migration.sources.column_names import fold
from interest_migration.sources.draft_columns import ColumnLook
from interest_migration.sources.draft_roles import SURE, Choice, action_words, number_writing
from interest_migration.sources.draft_tables import Table
from interest_migration.sources.draft_words import name_weight

_CANCELLED: Final = r"^[Cc]\d"
_SALES: Final = ("invoice", "order", "transaction", "purchase", "sales", "basket", "tdat")


@dataclass(frozen=True)
class Line:
    """A line of the draft."""

    depth: int
    text: str
    comment: str = ""

    def __str__(self) -> str:
        comment = " ".join(self.comment.split())
        return f"{'  ' * self.depth}{self.text}{f'  # {comment}' if comment else ''}"


@dataclass
class Doubts:
    """What could not be told; sentences for people, which hold no values of identifiers."""

    sentences: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        """Adds a sentence, once."""
        if sentence not in self.sentences:
            self.sentences.append(sentence)


def flow(value: Any) -> str:
    """Returns YAML on one line: {"column": "a"} -> `{column: a}`."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False)
    text = text.removesuffix("\n").removesuffix("\n...").strip()
    return json.dumps(value, ensure_ascii=False) if "\n" in text else text


def stream_lines(table: Table, name: str, tree: Table | None, has_items: bool, doubts: Doubts) -> list[Line]:
    """Writes a stream, an item of the list `streams`."""
    lines = [Line(1, f"- name: {name}"), *source_lines(table, 2, doubts)]
    lines += _filter_lines(table)
    lines += [Line(2, "fields:")]
    lines += [
        choice_line(3, "user", table.roles["user"]),
        time_line(table, 3, "time", doubts),
        _action_line(table, doubts),
    ]
    lines += [_item_line(table)] if "item" in table.roles else []
    lines += category_lines(table, 3, tree, doubts, needed=not has_items)
    lines += [choice_line(3, "brand", table.roles["brand"])] if "brand" in table.roles else []
    lines += number_lines(table, 3, totals=True)
    if "text" in table.roles:
        lines.append(text_line(table, 3, "text", "title"))
    lines += [choice_line(3, role, table.roles[role]) for role in ("session", "platform") if role in table.roles]
    if "item" not in table.roles:
        doubts.add(f"{table.sample.name}: no column looks like an item.")
    if (filled := table.looks[table.roles["user"].column].filled) < 0.99:
        doubts.add(f"{table.sample.name}: {1 - filled:.0%} of the rows have no user and will be set aside.")
    return lines


def source_lines(table: Table, depth: int, doubts: Doubts) -> list[Line]:
    """Writes where the files are and how they are written."""
    names = [sample.name for sample in table.samples]
    more = f"a glob such as *{''.join(PurePath(names[0]).suffixes[-2:])} stands for several"
    lines = [Line(depth, f"files: {flow(names[0] if len(names) == 1 else names)}", more)]
    options = table.sample.options
    lines += [Line(depth, f"{key}: {flow(value)}") for key, value in options.items()]
    for remark in table.sample.remarks:
        doubts.add(f"{table.sample.name}: {remark}.")
    csv = options.get("csv", {})
    if "encoding" in csv:
        doubts.add(f"{table.sample.name}: the encoding is not named in the file; {csv['encoding']} is a guess.")
    if csv.get("header") is False:
        doubts.add(
            f"{table.sample.name}: there is no header, so user, item and category are guessed from position and "
            "variety of the values; give the columns their names in `columns`."
        )
    return lines


def choice_line(depth: int, key: str, choice: Choice) -> Line:
    """Writes a field that is a column and nothing else."""
    return Line(depth, f"{key}: {flow(choice.column)}", _comment(choice.confidence, choice.others))


def _comment(confidence: str, others: tuple[str, ...]) -> str:
    considered = f"considered instead: {', '.join(others)}" if others else ""
    return "; ".join(part for part in ("" if confidence == SURE else confidence, considered) if part)


def time_line(table: Table, depth: int, key: str, doubts: Doubts) -> Line:
    """Writes a time field."""
    choice = table.roles["time"]
    look = table.looks[choice.column]
    value: dict[str, Any] = {"column": choice.column}
    if time := look.time:
        if time.formats != ("iso8601",):
            value["format"] = time.formats[0] if len(time.formats) == 1 else list(time.formats)
        if time.days_only and key == "time":
            value["shift_seconds"] = 86399
            doubts.add(f"{choice.column}: days without a clock time; they count as the end of the day.")
        if time.rival:
            doubts.add(
                f"{choice.column}: {time.formats[0]} and {time.rival} fit all values; which is day, which is month?"
            )
        if not time.formats[0].startswith("unix") and not _has_zone(look):
            doubts.add(f"{choice.column}: times carry no zone and are read as UTC; set `timezone` if they are local.")
    simple = choice.column if list(value) == ["column"] else value
    return Line(depth, f"{key}: {flow(simple)}", _comment(choice.confidence, choice.others))


def _has_zone(look: ColumnLook) -> bool:
    if pa.types.is_timestamp(look.values.type):
        return look.values.type.tz is not None
    zoned = pc.match_substring_regex(look.distinct[:1000], r"(Z|UTC|GMT|[+-]\d\d:?\d\d)$")
    return float(pc.mean(zoned.cast(pa.int8())).as_py() or 0) > 0.5


def _action_line(table: Table, doubts: Doubts) -> Line:
    choice = table.roles.get("action")
    if choice is None:
        constant, why = _constant_action(table)
        doubts.add(f"{table.sample.name}: no column tells the action; every row is taken for a {constant} ({why}).")
        return Line(3, f"action: {{constant: {constant}}}", "a guess")
    values, ignored, unknown, origin = action_words(table.looks[choice.column], table.looks)
    value: dict[str, Any] = {"column": choice.column}
    if strange := {word: action for word, action in values.items() if word.casefold() != action}:
        value["values"] = strange
    if ignored:
        value["ignore"] = ignored
    if origin:
        doubts.add(f"{choice.column}: the meaning of its codes is taken from {origin}, whose columns these are.")
    if unknown:
        verb = "means" if len(unknown) == 1 else "mean"
        doubts.add(
            f"{choice.column}: could not tell what {_words(unknown)} {verb}; rows with that will be set aside as "
            "unknown_action: add it to `values` or `ignore`."
        )
    simple = choice.column if list(value) == ["column"] else value
    return Line(3, f"action: {flow(simple)}", _comment(choice.confidence, choice.others))


def _words(words: list[str]) -> str:
    """Lists words; but not what could be an identifier."""
    shown = [word for word in words if len(word) <= 30 and sum(map(str.isdigit, word)) <= 3 and "@" not in word]
    rest = len(words) - len(shown[:20])
    return ", ".join(map(repr, shown[:20])) + (f"{' and ' if shown else ''}{rest} other words" if rest else "")


def _constant_action(table: Table) -> tuple[str, str]:
    folded = {fold(name) for name in table.looks}
    if any("review" in name or "rating" in name or name == "overall" for name in folded):
        return "review", "there are ratings or reviews"
    sales = any(word in name for word in _SALES for name in (*folded, table.sample.name.casefold()))
    if table.roles.keys() & {"quantity", "total"} or sales:
        return "purchase", "there are quantities, totals, orders, invoices or the like"
    return "view", "nothing says otherwise"


def _item_line(table: Table) -> Line:
    choice = table.roles["item"]
    own = choice.column.casefold().removeprefix("parent").strip("_ ")
    base = next((name for name in table.looks if name.casefold() == own and name != choice.column), None)
    if base is None:
        return choice_line(3, "item", choice)
    value = {"column": choice.column, "fallback": base}
    return Line(3, f"item: {flow(value)}", f"several {base} have one {choice.column}")


def category_lines(table: Table, depth: int, tree: Table | None, doubts: Doubts, needed: bool) -> list[Line]:
    """Writes the category path; where it is missing and `needed`, a proposal as a comment."""
    path = table.categories
    if path is not None:
        value = path.value
        if tree and isinstance(value, str) and fold(value) == fold(_tree_id(tree)):
            value = {"column": value, "tree": tree_value(tree)}
        return [Line(depth, f"category_path: {flow(value)}", _comment(path.confidence, path.others))]
    if not needed:
        return []
    doubts.add(
        f"{table.sample.name}: no column looks like a category, and without categories there are no interests to "
        "follow: give the item table as a further sample, or derive one, as from the item's code."
    )
    item = table.column("item")
    pattern = {"column": item, "pattern": r"^(\w{3})"}
    proposal = Line(
        depth, f"# category_path: {flow(pattern)}", "no category found; this takes the code's first letters"
    )
    return [proposal] if item else []


def _tree_id(tree: Table) -> str:
    names = [name for name in tree.looks if name != tree.named("parent")]
    return max(names, key=lambda name: name_weight("category_path", name) + (fold(name) == "id"))


def tree_value(tree: Table) -> dict[str, Any]:
    """Returns the key `tree` of a category path."""
    value: dict[str, Any] = {"files": tree.sample.name, "id": _tree_id(tree), "parent": tree.named("parent")}
    return value | dict(tree.sample.options)


def number_lines(table: Table, depth: int, totals: bool) -> list[Line]:
    """Writes the price, and with `totals` the quantity and a price that is a total."""
    lines = []
    roles = {"price": "price", "total": "price", "quantity": "quantity"} if totals else {"price": "price"}
    for role, key in roles.items():
        choice = table.roles.get(role)
        if choice is None or (role == "total" and "price" in table.roles):
            continue
        decimal, remove = number_writing(table.looks[choice.column])
        value = {"total_column" if role == "total" else "column": choice.column}
        value |= {"decimal": decimal} if decimal != "." else {}
        value |= {"remove": remove} if remove else {}
        simple = choice.column if list(value) == ["column"] else value
        lines.append(Line(depth, f"{key}: {flow(simple)}", _comment(choice.confidence, choice.others)))
    return lines


def text_line(table: Table, depth: int, role: str, fallback_role: str) -> Line:
    """Writes the text, with the column of another role as a fallback if there is one."""
    choice = table.roles[role]
    value: Any = choice.column
    if fallback := table.column(fallback_role) if fallback_role else None:
        value = {"column": choice.column, "fallback": fallback}
    return Line(depth, f"text: {flow(value)}", _comment(choice.confidence, choice.others))


def _filter_lines(table: Table) -> list[Line]:
    """Proposes to set cancellations aside where numbers of invoices or orders are marked with a C."""
    for name, look in table.looks.items():
        if not any(part in fold(name) for part in ("invoice", "order")) or look.is_list or not len(look.distinct):
            continue
        marked = pc.match_substring_regex(look.distinct, _CANCELLED).cast(pa.int8())
        share = float(pc.mean(marked).as_py() or 0)
        if 0 < share < 0.6 and look.number_share > 0.3:
            value = {"column": name, "drop_pattern": "^[Cc]", "reason": "cancellation"}
            return [
                Line(2, "filters:"),
                Line(3, f"- {flow(value)}", "a guess: numbers that begin with C are cancellations"),
            ]
    return []
