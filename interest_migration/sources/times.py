"""Unix seconds from any column of times."""

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.sources.distinct import null_mask, null_where, text_or_null
from interest_migration.sources.fields import UNIX_FORMATS, TimeField
from interest_migration.sources.numbers import parse_numbers
from interest_migration.sources.rejects import Mask

Seconds = npt.NDArray[np.int64]

_COMPOSITES = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "D": "%m/%d/%y", "R": "%H:%M"}  # which Python does not know
_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_LARGEST_SECONDS = 2.0**53
_LOCAL_SECONDS = (-62_104_060_800, 253_402_214_400)  # from year 2 to the last day of 9999, for which zones are computed
_YEAR_1000_S = -30_610_224_000
_DAY = r"\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|[12]\d))"
_CLOCK = r"([01]\d|2[0-3])(:[0-5]\d(:[0-5]\d)?)?"
_ZONE = r"(Z|[+-]\d\d(:?\d\d)?)"


def parse_times(values: pa.Array, field: TimeField, null_values: Sequence[str]) -> tuple[Seconds, Mask, Mask]:
    """Parses a column of times; fractions of a second are dropped.

    Args:
      values: `[N]`, times, dates, numbers or text.
      field: Format, zone and shift.
      null_values: Texts that mean "no value".

    Returns:
      `[N]` Unix seconds (0 where there are none), `[N]` missing, `[N]` not a time.

    Example:
      ["2017-01-01T00:00:01.9Z", "soon", null] -> [1483228801, 0, 0], [F, F, T], [F, T, F].
    """
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("s") if pa.types.is_date32(values.type) else pa.timestamp("ms"))
    if pa.types.is_timestamp(values.type):
        return _to_seconds(values, field), null_mask(values), np.zeros(len(values), np.bool_)
    if pa.types.is_nested(values.type):
        return np.zeros(len(values), np.int64), null_mask(values), ~null_mask(values)
    seconds, missing, bad = _parse_as(field.format[0], values, field, null_values)
    for name in field.format[1:]:
        if not bad.any():
            break
        rest = np.flatnonzero(bad)
        seconds[rest], _, bad[rest] = _parse_as(name, values.take(pa.array(rest)), field, null_values)
    return seconds, missing, bad


def _parse_as(name: str, values: pa.Array, field: TimeField, null_values: Sequence[str]) -> tuple[Seconds, Mask, Mask]:
    """Parses values in one format."""
    if name in UNIX_FORMATS:
        return _parse_unix(values, UNIX_FORMATS[name], field, null_values)
    text = text_or_null(values, null_values)
    seconds, parsed = _parse_iso(text, field) if name == "iso8601" else _parse_pattern(text, name, field)
    missing = null_mask(text)
    return np.where(parsed, seconds, 0), missing, ~parsed & ~missing


def _to_seconds(times: pa.Array, field: TimeField) -> Seconds:
    """Applies shift and zone to timestamps of any unit."""
    unit = _UNITS[times.type.unit]
    kind, ticks = times.type, times.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    seconds = np.floor_divide(ticks, unit) + field.shift_seconds
    if kind.tz is not None or field.timezone == "UTC":
        return seconds
    near = np.clip(seconds, *_LOCAL_SECONDS)
    return _localize(near, field.timezone)


def _localize(seconds: Seconds, timezone: str) -> Seconds:
    """Reads local clock times: of a repeated hour the first, of a skipped hour its end.

    Arrow would do it too, but only where the operating system has a time zone database; Python brings one along.
    """
    import pandas as pd

    local = pd.DatetimeIndex(seconds.astype("datetime64[s]"))
    first = np.ones(len(local), np.bool_)
    zoned = local.tz_localize(ZoneInfo(timezone), ambiguous=first, nonexistent="shift_forward")
    return zoned.asi8.astype(np.int64)


def _parse_unix(
    values: pa.Array, unit: int, field: TimeField, null_values: Sequence[str]
) -> tuple[Seconds, Mask, Mask]:
    if pa.types.is_integer(values.type) and values.type != pa.uint64():
        ticks = values.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        return np.floor_divide(ticks, unit) + field.shift_seconds, null_mask(values), np.zeros(len(values), np.bool_)
    numbers, bad = parse_numbers(values, null_values)
    numbers = np.floor(numbers / unit)
    bad |= np.abs(numbers) > _LARGEST_SECONDS
    missing = np.isnan(numbers) & ~bad
    seconds = np.where(bad | missing, 0, numbers).astype(np.int64)
    return seconds + field.shift_seconds, missing, bad


def _parse_iso(text: pa.Array, field: TimeField) -> tuple[Seconds, Mask]:
    try:
        return _to_seconds(text.cast(pa.timestamp("s")), field), ~null_mask(text)
    except pa.ArrowInvalid:
        pass  # fractions, zones or values that are no times: sort them out
    whole = pc.replace_substring_regex(text, r" ?(UTC|GMT)$", "Z")
    try:
        return _to_seconds(whole.cast(pa.timestamp("s", "UTC")), field), ~null_mask(text)
    except pa.ArrowInvalid:
        pass
    whole = pc.replace_substring_regex(whole, r"([:\d]\d)[.,]\d+", r"\1")
    zoned = _matching(whole, f"^{_DAY}[T ]{_CLOCK}{_ZONE}$")
    naive = _matching(whole, f"^{_DAY}([T ]{_CLOCK})?$")
    with_zone = _cast_or_null(null_where(whole, ~zoned), pa.timestamp("s", "UTC"))
    without = _cast_or_null(null_where(whole, ~naive), pa.timestamp("s"))
    seconds = np.where(zoned, _to_seconds(with_zone, field), _to_seconds(without, field))
    return seconds, ~null_mask(with_zone) | ~null_mask(without)


def _parse_pattern(text: pa.Array, name: str, field: TimeField) -> tuple[Seconds, Mask]:
    pattern = re.sub("%([FTDR])", lambda match: _COMPOSITES[match[1]], name)
    times = pc.strptime(text, format=pattern, unit="s", error_is_null=True)
    impossible = _impossible_days(text, times, pattern)
    ticks = times.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    impossible |= ticks < _YEAR_1000_S  # %Y takes the 10 of 12/1/10 for the year 10
    return _to_seconds(times, field), ~null_mask(times) & ~impossible


def _impossible_days(text: pa.Array, times: pa.Array, pattern: str) -> Mask:
    """Finds days such as 30 February, which C's strptime moves into the next month.

    Only days at the turn of a month can be such; of those, only texts that the pattern does not print again are parsed
    one by one, by Python, which says "day is out of range for month" or "day 30 must be in range 1..28".
    """
    seconds = times.cast(pa.int64()).fill_null(0).cast(pa.timestamp("s"))
    day = pc.day(seconds).to_numpy(zero_copy_only=False)
    turn = np.flatnonzero(((day <= 4) | (day >= 28)) & ~null_mask(times))
    if "%z" in pattern:
        doubtful = turn
    else:
        printed = pc.strftime(seconds.take(pa.array(turn)), format=pattern)
        doubtful = turn[pc.not_equal(printed, text.take(pa.array(turn))).to_numpy(zero_copy_only=False)]
    impossible = np.zeros(len(text), np.bool_)
    for row, value in zip(doubtful, text.take(pa.array(doubtful)).to_pylist(), strict=True):
        try:
            datetime.strptime(value, pattern)
        except ValueError as error:
            impossible[row] = str(error).startswith("day ")
    return impossible


def _cast_or_null(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """Casts what can be cast, by halving what cannot: of what the caller leaves, 29 February of other years."""
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        if len(text) == 1:
            return pa.nulls(1, kind)
    half = len(text) // 2
    return pa.concat_arrays([_cast_or_null(text[:half], kind), _cast_or_null(text[half:], kind)])


def _matching(text: pa.Array, pattern: str) -> Mask:
    return pc.match_substring_regex(text, pattern).fill_null(False).to_numpy(zero_copy_only=False)
