"""When a recurring run starts."""

import re
from dataclasses import dataclass
from typing import Final

from interest_migration.errors import ConfigError

_SECONDS: Final = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


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
        return Schedule(cron=" ".join(fields if len(fields) == 6 else ["0", *fields]))
    return None
