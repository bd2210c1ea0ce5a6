"""What the values of a column of unknown meaning look like."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.privacy.identifiers import canonical_ids
from interest_migration.sources.distinct import text_or_null
from interest_migration.sources.fields import TimeField
from interest_migration.sources.file_sources import FileSource
from interest_migration.sources.numbers import parse_numbers
from interest_migration.sources.times import parse_times

NULL_VALUES: Final = FileSource().null_values
TIME_FORMATS: Final = (
    "unix_s",
    "unix_ms",
    "unix_us",
    "iso8601",
    "%Y%m%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    *(
        f"{day}{clock}"
        for day in ("%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y")
        for clock in (" %H:%M:%S", " %H:%M", "")
    ),
    *(f"%d.%m.%Y{clock}" for clock in (" %H:%M:%S", " %H:%M", "")),
    *(f"{day}{clock}" for day in ("%m/%d/%y", "%d/%m/%y", "%d.%m.%y") for clock in (" %H:%M:%S", " %H:%M", "")),
    *(f"%m/%d/%Y %I:%M{second} %p" for second in (":%S", "")),
    "%d/%b/%Y:%H:%M:%S %z",
    "%d %b %Y",
    "%d %b %Y %H:%M:%S",
    "%b %d, %Y",
    "%m %d, %Y",
)
SEPARATORS: Final = (" > ", ">", "|", "::", "/", ";", ".", ",")
_FIRST_S: Final = 631_152_000  # 1990
_LAST_S: Final = 2_145_916_800  # 2038
_TIMES: Final = 2_000
_DAY_SECONDS: Final = 86_400
_NEARLY: Final = 1.25  # levels of real shops: some kinds of things are in several departments
_MOST: Final = 0.6
"""Share of the values from which on a column is taken to be of a kind: samples are dirty."""


@dataclass(frozen=True)
class TimeLook:
    """How a column reads as times.

    Attributes:
      formats: Format that most values have, then others that some of the rest have.
      share: Values that have one of them.
      days_only: Whether no value has a clock time.
      rival: A format with day and month the other way round that fits as well; empty if there is none.
    """

    formats: tuple[str, ...]
    share: float
    days_only: bool
    rival: str = ""


class ColumnLook:
    """Facts about the values of one column.

    Args:
      name: Its name.
      values: `[N]` of any type.
    """

    def __init__(self, name: str, values: pa.Array) -> None:
        self.name = name
        self.values = values
        self.is_list = pa.types.is_list(values.type) or pa.types.is_large_list(values.type)

    @cached_property
    def texts(self) -> pa.Array:
        """The values that are there, as text; those of lists are none."""
        return self._text_of_rows.drop_null()

    @cached_property
    def _text_of_rows(self) -> pa.Array:
        if self.is_list or pa.types.is_nested(self.values.type):
            return pa.nulls(len(self.values), pa.string())
        return text_or_null(self.values, NULL_VALUES, canonical_ids)

    @cached_property
    def codes(self) -> pa.Array:
        """`[N]` number of each row's distinct value, null without one."""
        return self._text_of_rows.dictionary_encode().indices

    @property
    def filled(self) -> float:
        """Share of the rows that have a value."""
        if self.is_list:
            return float(
                pc.mean(pc.greater(pc.list_value_length(self.values), 0).fill_null(False).cast(pa.int8())).as_py()
            )
        return len(self.texts) / max(len(self.values), 1)

    @cached_property
    def distinct(self) -> pa.Array:
        """The distinct values."""
        return self.texts.unique()

    @cached_property
    def repeats(self) -> bool:
        """Whether some value occurs more than once."""
        return len(self.distinct) < len(self.texts)

    @cached_property
    def number_share(self) -> float:
        """Share of the values that are plain numbers."""
        return self.share_of_numbers()

    def share_of_numbers(self, decimal: str = ".", remove: str = "") -> float:
        """Share of the values that are numbers, written in some way."""
        _, bad = parse_numbers(self.texts, NULL_VALUES, decimal, remove)
        return 1 - float(bad.mean()) if len(bad) else 0.0

    @cached_property
    def is_whole(self) -> bool:
        """Whether all numbers are whole."""
        numbers, _ = parse_numbers(self.texts, NULL_VALUES)
        return bool(np.all(np.floor(numbers[~np.isnan(numbers)]) == numbers[~np.isnan(numbers)]))

    @cached_property
    def average_length(self) -> float:
        """Characters of a value."""
        return float(pc.mean(pc.utf8_length(self.texts)).as_py() or 0.0)

    @cached_property
    def time(self) -> TimeLook | None:
        """How it reads as times; None if it does not."""
        if pa.types.is_temporal(self.values.type):
            seconds, missing, bad = parse_times(self.values, TimeField(column="x"), NULL_VALUES)
            return TimeLook(("iso8601",), 1.0, bool(np.all(seconds[~missing & ~bad] % _DAY_SECONDS == 0)))
        sample = self.texts[:_TIMES]
        return None if self.is_list or not len(sample) else _look_at_times(sample)

    @cached_property
    def separator(self) -> str | None:
        """What seems to separate the levels of a path; None if nothing does."""
        if self.number_share > 1 - _MOST or not len(self.distinct):
            return None
        texts = [text for text in self.distinct[:_TIMES].to_pylist() if not re.fullmatch(r"[\d.,]+", text)]
        for mark in SEPARATORS:
            paths = [text.split(mark) for text in texts if mark in text]
            close = mark not in (".", ",", "/") or not any(f"{mark} " in text for text in texts)
            if (
                close
                and len(paths) >= 0.3 * max(len(texts), 1)
                and all(len(part) < 60 for path in paths for part in path)
            ):
                return mark
        return None


def _look_at_times(texts: pa.Array) -> TimeLook | None:
    parsed = {name: _parse(texts, name) for name in TIME_FORMATS}
    share = {name: float(good.mean()) for name, (_, good) in parsed.items()}
    best = max(share, key=lambda name: share[name])
    if share[best] < _MOST:
        return None
    seconds, good = parsed[best]
    formats = [best]
    for name, (own, own_good) in parsed.items():
        if np.sum(own_good & ~good) >= max(3, 0.02 * len(texts)):
            formats.append(name)
            seconds, good = np.where(good, seconds, own), good | own_good
    rival = best.translate(str.maketrans("md", "dm")) if "%m" in best and "%d" in best else ""
    rival = rival if rival != best and share.get(rival, 0) >= share[best] else ""
    return TimeLook(tuple(formats), float(good.mean()), bool(np.all(seconds[good] % _DAY_SECONDS == 0)), rival)


def _parse(texts: pa.Array, name: str) -> tuple[np.ndarray, np.ndarray]:
    seconds, missing, bad = parse_times(texts, TimeField(column="x", format=(name,)), NULL_VALUES)
    return seconds, ~missing & ~bad & (seconds >= _FIRST_S) & (seconds <= _LAST_S)


def determines(narrow: ColumnLook, broad: ColumnLook) -> bool:
    """Whether nearly each value of one column goes with a single value of another: a level and the level above it."""
    both = pa.table({"narrow": narrow.codes, "broad": broad.codes}).drop_null()
    pairs = len(both.group_by(["narrow", "broad"]).aggregate([]))
    narrow_count, broad_count = len(both["narrow"].unique()), len(both["broad"].unique())
    return 0 < pairs <= _NEARLY * narrow_count and broad_count < narrow_count


def overlap(one: ColumnLook, values: Iterable[str]) -> float:
    """Share of one column's distinct values that are among others."""
    known = pa.array(sorted(values), pa.string())
    return float(pc.mean(pc.is_in(one.distinct, known).cast(pa.int8())).as_py() or 0.0) if len(one.distinct) else 0.0
