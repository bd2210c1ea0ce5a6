"""What the events of the newest spans are like: counts by span, group of users, field and value.

The data gate compares the newest span with those before it. Examples cannot show this: a labelled example is cut a
whole horizon before the end of the log, so it tells of the newest events in its labels at most.

    period 0  group 3  category "tea"  31      period 1  group 3  category "tea"  29
    period 0  group 3  hour     "17"   12      period 0  group 3  users    ""     80

Period 0 is the newest span, period 1 the one before it, and so on, by the time of the events. The groups are random
parts of the users: how much they differ from each other shows how much chance there is in the whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from interest_migration.examples.ranges import IntArray
from interest_migration.examples.shard import ShardEvents
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.partition_settings import Selection
from interest_migration.storage.atomic import replacing
from schemas.events import ACTIONS

PROFILE_FILE: Final = "profile.arrow"
PERIODS: Final = 29
"""The newest span and 28 before it."""

GROUPS: Final = 16
"""Random groups of users."""

PROFILED: Final = ("action", "category", "brand", "platform", "price", "hour", "has_item", "events_per_user")
"""Fields whose values are counted. Prices are counted in steps of a quarter octave, hours are UTC."""

USERS, EVENTS = "users", "events"
"""Totals of a period and group, under the value ""."""

_SCHEMA: Final = pa.schema(
    [
        ("period", pa.int32()),
        ("group", pa.int32()),
        ("field", pa.string()),
        ("value", pa.string()),
        ("count", pa.int64()),
    ]
)
_PRICE_STEPS: Final = 4
_DAY_S: Final = 86_400


@dataclass(frozen=True)
class Periods:
    """Stretches of time of equal length, counted backwards.

    Attributes:
      end_s: Unix seconds at which the newest ends.
      length_s: Length of each.
    """

    end_s: int
    length_s: int

    def number(self, times_s: IntArray) -> IntArray:
        """Returns `[N]` periods; what lies after the end, within the tolerance, counts as newest.

        Example:
          Ends at 100, length 10; times 105, 99, 90, 89 -> 0, 0, 0, 1.
        """
        return np.maximum((self.end_s - 1 - times_s) // self.length_s, 0)


def periods_of(selection: Selection | None, mapping: SourceMapping) -> Periods | None:
    """Returns the periods of a run; None without partitions that have dates."""
    if selection is None or not selection.spans_of.is_dated:
        return None
    _, end_s = selection.day_bounds(selection.newest, mapping.streams[0].fields.time.timezone)
    return Periods(end_s, selection.days * _DAY_S)


def profile_events(events: ShardEvents, periods: Periods) -> pa.Table:
    """Counts the events of one shard.

    Args:
      events: All events of the shard's users, without duplicates.
      periods: Of the run.

    Returns:
      Rows (period, group, field, value, count) of the newest `PERIODS` periods.
    """
    period = periods.number(events.time_s)
    kept = np.flatnonzero(period < PERIODS)
    user = events.user[kept]  # Users are sorted by pseudonym, a keyed hash: every 16th is a random sample of them.
    place = period[kept] * GROUPS + user % GROUPS
    parts = [_count(place, name, *_column(events, name, kept)) for name in PROFILED[:-1]]
    return pa.concat_tables([*parts, *_count_users(place, user)])


def merge_profiles(profiles: Iterable[pa.Table]) -> pa.Table:
    """Adds up the counts of shards, whose users are distinct."""
    whole = pa.concat_tables([_SCHEMA.empty_table(), *profiles])
    summed = whole.group_by(_SCHEMA.names[:-1]).aggregate([("count", "sum")])
    return (
        summed.rename_columns({"count_sum": "count"})
        .select(_SCHEMA.names)
        .sort_by([(name, "ascending") for name in _SCHEMA.names[:-1]])
    )


def write_profile(profile: pa.Table, path: str) -> None:
    """Writes a profile as an Arrow file."""
    with (
        replacing(Path(path)) as temporary,
        pa.OSFile(str(temporary), "wb") as file,
        pa.ipc.new_file(file, profile.schema) as writer,
    ):
        writer.write_table(profile)


def read_profile(path: Path) -> pa.Table:
    """Reads what `write_profile` wrote."""
    with pa.OSFile(str(path), "rb") as file:
        return pa.ipc.open_file(file).read_all()


def _column(events: ShardEvents, name: str, kept: IntArray) -> tuple[IntArray, list[str]]:
    """Returns `[N]` codes of a field and the value of each code."""
    if name == "action":
        return events.action[kept], list(ACTIONS)
    if name == "price":
        return _price_codes(events.price[kept])
    if name == "hour":
        return events.time_s[kept] % _DAY_S // 3_600, [f"{hour:02d}" for hour in range(24)]
    if name == "has_item":
        return (events.item.codes[kept] > 0).astype(np.int64), ["no", "yes"]
    strings = getattr(events, name)
    return strings.codes[kept].astype(np.int64), [value.decode() for value in strings.values.to_pylist()]


def _price_codes(price: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[IntArray, list[str]]:
    """Prices of 1.0 and 1.1 are both `1`, which reaches to 1.19; none is the empty value."""
    steps = np.full(len(price), -(2**31), np.int64)
    positive = price > 0
    steps[positive] = np.floor(np.log2(price[positive]) * _PRICE_STEPS)
    steps[price == 0] += 1
    distinct, codes = np.unique(steps, return_inverse=True)
    names = {-(2**31): "", 1 - 2**31: "0"}
    return codes, [names.get(step, f"{2 ** (step / _PRICE_STEPS):.6g}") for step in distinct.tolist()]


def _count(place: IntArray, field: str, codes: IntArray, values: list[str]) -> pa.Table:
    """`place` `[N]` is the period times GROUPS plus the group."""
    cells, counts = np.unique(place * len(values) + codes, return_counts=True)
    names = pa.array(values, pa.string()).take(pa.array(cells % len(values)))
    return _table(cells // len(values), field, names, counts)


def _count_users(place: IntArray, user: IntArray) -> list[pa.Table]:
    width = int(user.max(initial=0)) + 1
    pairs, counts = np.unique(place * width + user, return_counts=True)
    of = pairs // width
    bins = np.ceil(np.log2(counts)).astype(np.int64)  # 1, 2, 3-4, 5-8, ...
    names = [f"{2 ** (number - 1) + 1 if number > 1 else 2**number}+" for number in range(64)]
    return [
        _count(of, "events_per_user", bins, names),
        _count(of, USERS, np.zeros(len(of), np.int64), [""]),
        _count(place, EVENTS, np.zeros(len(place), np.int64), [""]),
    ]


def _table(place: IntArray, field: str, values: pa.Array, counts: IntArray) -> pa.Table:
    columns = [
        pa.array(place // GROUPS, pa.int32()),
        pa.array(place % GROUPS, pa.int32()),
        pa.array([field] * len(values), pa.string()),
        values,
        pa.array(counts, pa.int64()),
    ]
    return pa.Table.from_arrays(columns, schema=_SCHEMA)
