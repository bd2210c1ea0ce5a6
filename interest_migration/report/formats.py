"""Numbers and times as a person reads them."""

import math
from datetime import UTC, datetime

NONE = "–"
"""Stands for what is not known."""


def number(value: float | None, places: int = 3) -> str:
    """`0.8123` -> `0.812`; what is not known is a dash."""
    return NONE if value is None or math.isnan(value) else f"{value:.{places}f}"


def signed(value: float | None, places: int = 3) -> str:
    """`0.0213` -> `+0.021`, `-0.1` -> `−0.100`."""
    if value is None or math.isnan(value):
        return NONE
    return f"{value:+.{places}f}".replace("-", "−")


def percent(value: float | None, places: int = 1) -> str:
    """`0.1234` -> `12.3 %`."""
    return NONE if value is None or math.isnan(value) else f"{100 * value:.{places}f} %"


def points(value: float | None) -> str:
    """A difference of shares in percentage points: `0.0123` -> `+1.23`."""
    return NONE if value is None or math.isnan(value) else signed(100 * value, 2)


def count(value: float | None) -> str:
    """`1477998` -> `1,477,998`."""
    return NONE if value is None else f"{value:,.0f}"


def duration(seconds: float | None) -> str:
    """`75.2` -> `1 min 15 s`, `3.21` -> `3.2 s`, `7300` -> `2 h 2 min`."""
    if seconds is None:
        return NONE
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(text: str) -> str:
    """`2026-03-01T10:00:05.123+00:00` -> `2026-03-01 10:00:05 UTC`."""
    if not text:
        return NONE
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def day(time_s: float | None) -> str:
    """Unix seconds -> `2026-03-01`."""
    return NONE if time_s is None else datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d")
