"""Which column of a sample plays which part."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.sources.column_names import fold
from interest_migration.sources.draft_columns import ColumnLook
from interest_migration.sources.draft_words import ACTION_WORDS, CODED_ACTIONS, IGNORED_WORDS, name_weight

Looks = Mapping[str, ColumnLook]
SURE: Final = "certain"
LIKELY: Final = "likely"
GUESS: Final = "a guess"
_MAX_WORDS: Final = 60
_LONG_TEXT: Final = 64
_CURRENCIES: Final = "$€£¥ "


@dataclass(frozen=True)
class Choice:
    """The column of a role.

    Attributes:
      column: The column.
      confidence: `certain`, `likely` or `a guess`.
      others: Columns that were considered instead, the best first.
    """

    column: str
    confidence: str
    others: tuple[str, ...] = ()


def looks_of(columns: Mapping[str, object]) -> dict[str, ColumnLook]:
    """Returns the look of each column."""
    return {name: ColumnLook(name, values) for name, values in columns.items()}


def choose_roles(looks: Looks, named: Collection[str] = ()) -> dict[str, Choice]:
    """Chooses at most one column for each of user, time, action, item, session, brand, numbers and texts.

    Args:
      looks: The columns of a sample.
      named: Columns of other samples; an item or user with a name that occurs there too is preferred.

    Returns:
      Role -> choice; roles without a column are left out. Categories are another matter (`draft_categories`).
    """
    shared = {fold(name) for name in named}
    taken: set[str] = set()
    found: dict[str, Choice] = {}
    for role, score in _SCORES.items():
        scores = {name: score(look, looks) for name, look in looks.items() if name not in taken}
        if role in ("user", "item"):
            scores = {name: value + 0.5 * (value > 0 and fold(name) in shared) for name, value in scores.items()}
        ranked = sorted((name for name, value in scores.items() if value > 0), key=lambda name: -scores[name])
        if not ranked:
            continue
        best, *others = ranked
        taken.add(best)
        confidence = SURE if scores[best] > 2 else LIKELY if scores[best] >= 1 else GUESS
        if confidence == SURE and others and scores[others[0]] > scores[best] - 0.2:
            confidence = LIKELY
        found[role] = Choice(best, confidence, tuple(others[:3]))
    return found


def action_words(look: ColumnLook, looks: Looks) -> tuple[dict[str, str], list[str], list[str], str]:
    """Translates the words of an action column.

    Returns:
      Word -> contract action, words to ignore, unknown words, and the public log whose codes these are, or nothing.
    """
    words = [word for word in look.distinct[:_MAX_WORDS].to_pylist() if word]
    for columns, name, codes, origin in CODED_ACTIONS:
        known = [word for word in words if word in codes]
        if columns <= {fold(column) for column in looks} and fold(look.name) == name and len(known) > len(words) / 2:
            values = {code: action for code, action in codes.items() if action}
            ignored = [code for code, action in codes.items() if not action]
            return values, ignored, [word for word in words if word not in codes], origin
    values = {word: ACTION_WORDS[fold(word)] for word in words if fold(word) in ACTION_WORDS}
    ignored = [word for word in words if fold(word) in IGNORED_WORDS]
    return values, ignored, [word for word in words if word not in values and word not in ignored], ""


def _is_id(look: ColumnLook) -> bool:
    """Whether the values could be identifiers."""
    whole = look.number_share < 1 or look.is_whole
    return not look.is_list and len(look.distinct) > 0 and whole and look.average_length <= _LONG_TEXT


def _user(look: ColumnLook, looks: Looks) -> float:
    weight = name_weight("user", look.name)
    fits = _is_id(look) or (weight > 2 and not look.is_list)  # ids of some trackers look like decimal numbers
    return weight * min(1.0, 2 * look.filled) if fits else 0.0


def _time(look: ColumnLook, looks: Looks) -> float:
    if look.time is None:
        return 0.0
    weight = name_weight("time", look.name)
    plain = look.time.formats[0] in ("unix_s", "unix_ms", "unix_us", "iso8601")
    if weight == 0 and look.number_share > 0.5 and not look.name.startswith("column_"):
        return 0.0  # numbers that would be times by their size alone
    return (weight or 0.5) * look.time.share + 0.4 * plain - 0.3 * look.time.days_only


def _action(look: ColumnLook, looks: Looks) -> float:
    words = len(look.distinct)
    if look.is_list or not 0 < words <= _MAX_WORDS or look.average_length > 30:
        return 0.0
    values, ignored, _, origin = action_words(look, looks)
    if origin:
        return 3.0
    known = len(values) + len(ignored)
    weight = name_weight("action", look.name)
    if known:
        return 1.0 + weight / 2 + known / words
    return weight - 1.5 if weight > 2 and look.repeats and look.number_share > 0.9 else 0.0


def _item(look: ColumnLook, looks: Looks) -> float:
    return name_weight("item", look.name) if _is_id(look) else 0.0


def _session(look: ColumnLook, looks: Looks) -> float:
    return name_weight("session", look.name) if _is_id(look) else 0.0


def _brand(look: ColumnLook, looks: Looks) -> float:
    return name_weight("brand", look.name) if not look.is_list and len(look.distinct) else 0.0


def _number(role: str) -> Callable[[ColumnLook, Looks], float]:
    def score(look: ColumnLook, looks: Looks) -> float:
        if look.is_list or not len(look.texts):
            return 0.0
        decimal, remove = number_writing(look)
        return name_weight(role, look.name) if look.share_of_numbers(decimal, remove) >= 0.6 else 0.0

    return score


def number_writing(look: ColumnLook) -> tuple[str, str]:
    """Returns the decimal mark of a column of numbers, and characters to take out of them.

    Example:
      ["$1,012.99", "$5"] -> ".", "$€£¥ ,"; ["1.234,50 €", "3,50 €"] -> ",", "$€£¥ ."
    """
    ends = pc.replace_substring_regex(look.distinct, rf"[{_CURRENCIES}]", "")
    commas, points = (_share(pc.match_substring_regex(ends, rf"\{mark}\d{{1,2}}$")) for mark in ",.")
    decimal, thousands = (",", ".") if commas > points else (".", ",")
    ways = ((decimal, ""), (decimal, _CURRENCIES), (decimal, _CURRENCIES + thousands))
    return max(ways, key=lambda way: round(look.share_of_numbers(*way), 2))


def _share(mask: pa.Array) -> float:
    return float(pc.mean(mask.cast(pa.int8())).as_py() or 0.0)


def _text(look: ColumnLook, looks: Looks) -> float:
    free = look.average_length > 12 or not look.repeats
    return name_weight("text", look.name) if not look.is_list and free and look.number_share < 0.5 else 0.0


def _title(look: ColumnLook, looks: Looks) -> float:
    return name_weight("title", look.name) if not look.is_list and len(look.texts) and look.number_share < 0.5 else 0.0


def _platform(look: ColumnLook, looks: Looks) -> float:
    few = 0 < len(look.distinct) <= 200 and look.repeats
    return name_weight("platform", look.name) if few and not look.is_list else 0.0


_SCORES: Final[Mapping[str, Callable[[ColumnLook, Looks], float]]] = {
    "time": _time,
    "user": _user,
    "action": _action,
    "item": _item,
    "session": _session,
    "brand": _brand,
    "total": _number("total"),
    "price": _number("price"),
    "quantity": _number("quantity"),
    "text": _text,
    "title": _title,
    "platform": _platform,
}
"""In the order in which they choose."""
