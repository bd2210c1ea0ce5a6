"""When a recurring run starts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from interest_migration.errors import ConfigError

_SECONDS: Final = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS: Final = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: Final[tuple[tuple[str, int, int, dict[str, int]], ...]] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    ("weekday", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_PART: Final = re.compile(r"(?:[*?]|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/[1-9][0-9]*)?")
"""`*`, `*/15`, `4`, `mon-fri`, `8-18/2`."""


@dataclass(frozen=True)
class Schedule:
    """One of two ways to say it.

    Attributes:
      every_seconds: Seconds between two starts.
      cron: Six fields, from seconds to the day of the week, in UTC.
    """

    every_seconds: int | None = None
    cron: str | None = None


def parse_schedule(every: str | None, cron: str | None) -> Schedule | None:
    """Reads `--every` and `--cron`; None for neither.

    Raises:
      ConfigError: If both are given, or one cannot be read.

    Example:
      every 6h -> 21,600 seconds; cron "30 4 * * *" (five fields, as crontab has) -> "0 30 4 * * *".
    """
    if every and cron:
        raise ConfigError("expected --every or --cron, received both")
    if every:
        found = re.fullmatch(r"([1-9]\d*)([mhdw])", every)
        if not found:
            raise ConfigError(f"--every: expected a number and m, h, d or w, such as 6h, received {every!r}")
        return Schedule(every_seconds=int(found[1]) * _SECONDS[found[2]])
    if cron:
        fields = cron.split()
        if len(fields) not in (5, 6):
            raise ConfigError(f"--cron: expected five fields such as '30 4 * * *', or six, received {cron!r}")
        whole = fields if len(fields) == 6 else ["0", *fields]
        for text, field in zip(whole, _FIELDS, strict=True):
            _check_field(text, *field)
        return Schedule(cron=" ".join(whole))
    return None


def _check_field(text: str, name: str, lowest: int, highest: int, names: Mapping[str, int]) -> None:
    for part in text.lower().split(","):
        found = _PART.fullmatch(part)
        ends = [names.get(end, end) for end in found.groups() if end] if found else ["none"]
        if not all(str(end).isdecimal() and lowest <= int(end) <= highest for end in ends):
            raise ConfigError(
                f"--cron: {name}: expected {lowest} to {highest}, a range, a list or *, received {text!r}"
            )
