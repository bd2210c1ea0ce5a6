"""The time that a whole log covers."""

from dataclasses import dataclass
from typing import Final

from interest_migration.errors import ContractError

DAY_SECONDS: Final = 86_400


@dataclass(frozen=True)
class TimeRange:
    """A stretch of time, Unix seconds UTC.

    Attributes:
      start_s: Second of the first event.
      end_s: One second after the last event; what lies behind it is unknown.

    Example:
      Events at seconds 5, 7 and 9 -> TimeRange(5, 10).
    """

    start_s: int
    end_s: int

    def __post_init__(self) -> None:
        if self.start_s >= self.end_s:
            raise ContractError(f"expected start < end, received {self.start_s} and {self.end_s}")

    @property
    def days(self) -> float:
        """Length in days."""
        return (self.end_s - self.start_s) / DAY_SECONDS


def whole_seconds(days: float) -> int:
    """Returns days as whole seconds: 0.5 -> 43200."""
    return round(days * DAY_SECONDS)
