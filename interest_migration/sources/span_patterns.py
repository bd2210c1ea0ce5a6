"""Names of partitions as numbers of spans, in TFX's pattern language.

    events/{YYYY}-{MM}-{DD}      events/2024-01-31/a.csv, events/2024-01-31/b.csv   -> span 19753
    {YYYY}/{MM}/{DD}             2024/01/31/log.parquet                            -> span 19753
    events-{YYYY}{MM}{DD}.csv    events-20240131.csv                               -> span 19753
    */span-{SPAN}                clicks/span-7/a.csv, orders/span-7/b.csv          -> span 7

The span of a date is its number of days since 1970-01-01, as in TFX. `{SPAN:4}` is a number of four digits. `*` stands
for any characters but `/`.
"""

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from interest_migration.errors import ConfigError, DataError

EPOCH: Final = date(1970, 1, 1)
_DATE_PARTS: Final = {"{YYYY}": r"(?P<year>\d{4})", "{MM}": r"(?P<month>\d{2})", "{DD}": r"(?P<day>\d{2})"}
_SPAN: Final = re.compile(r"\{SPAN(?::(\d+))?\}")
_FORMS: Final = "{YYYY}, {MM} and {DD} once each, or {SPAN} once, as in events/{YYYY}-{MM}-{DD}"


class SpanPattern:
    """A pattern of paths below the input.

    Args:
      text: The pattern.

    Raises:
      ConfigError: If it is none.

    Example:
      >>> SpanPattern("logs/{YYYY}-{MM}-{DD}").find("logs/1970-01-02/part-0.csv")
      (1, 'logs/1970-01-02')
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_dated = any(part in text for part in _DATE_PARTS)
        _check(text, self.is_dated)
        self._regex = re.compile(f"(?P<place>{_translate(text)})(?:/.*)?", re.DOTALL)

    def find(self, path: str) -> tuple[int, str] | None:
        """Returns the span and the partition's own path of a path below the input, or None outside of partitions.

        Raises:
          DataError: If the path names a day that no calendar has.
        """
        match = self._regex.fullmatch(path)
        if match is None:
            return None
        if not self.is_dated:
            return int(match["span"]), match["place"]
        try:
            day = date(int(match["year"]), int(match["month"]), int(match["day"]))
        except ValueError as error:
            raise DataError(f"{path}: expected a day of the calendar for {self.text}: {error}; rename it") from error
        return (day - EPOCH).days, match["place"]

    def name(self, span: int) -> str:
        """Returns how people call a span: `2024-01-31 (span 19753)`, or `span 7` where there are no dates."""
        return f"{day_of(span)} (span {span})" if self.is_dated else f"span {span}"


@lru_cache(maxsize=16)
def compile_pattern(text: str) -> SpanPattern:
    """Returns the pattern; the same text gives the same object."""
    return SpanPattern(text)


def day_of(span: int) -> date:
    """Returns the date of a span: 19753 -> 2024-01-31."""
    return EPOCH + timedelta(days=span)


def span_of_day(day: date) -> int:
    """Returns the span of a date: 2024-01-31 -> 19753."""
    return (day - EPOCH).days


def _check(text: str, is_dated: bool) -> None:
    spans = _SPAN.findall(text)
    counts = [text.count(part) for part in _DATE_PARTS]
    leftover = re.findall(r"\{[^}]*\}", _SPAN.sub("", _without(text, _DATE_PARTS)))
    if leftover:
        raise ConfigError(f"partitions: expected {_FORMS}, received {', '.join(leftover)} in {text!r}")
    if bool(spans) == is_dated or len(spans) > 1 or (is_dated and counts != [1, 1, 1]):
        raise ConfigError(f"partitions: expected {_FORMS}, received {text!r}")
    if text.startswith("/") or ".." in text.split("/") or text.endswith("/"):
        raise ConfigError(f"partitions: expected a path below the input that does not end in /, received {text!r}")


def _without(text: str, parts: dict[str, str]) -> str:
    for part in parts:
        text = text.replace(part, "")
    return text


def _translate(text: str) -> str:
    pieces = []
    for token in re.split(r"(\{[^}]*\}|\*)", text):
        span = _SPAN.fullmatch(token)
        if span:
            pieces.append(rf"(?P<span>\d{{{span[1]}}})" if span[1] else r"(?P<span>\d+)")
        else:
            pieces.append("[^/]*" if token == "*" else _DATE_PARTS.get(token, re.escape(token)))
    return "".join(pieces)
