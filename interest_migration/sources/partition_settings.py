"""Settings of dated partitions, and which of them one run reads."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any, Final, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from interest_migration.errors import ConfigError
from interest_migration.settings import Settings
from interest_migration.sources.partition_times import PartitionTimes
from interest_migration.sources.span_patterns import SpanPattern, compile_pattern, day_of

_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


class _Days(Settings):
    """What the day of a partition means.

    Attributes:
      pattern: Path of a partition below the input, see `interest_migration.sources.span_patterns`.
      days: Days that a partition covers, from its date on: 1 for daily, 7 for weekly partitions.
      timezone: IANA zone of those days; where left out, that of the stream's own times (`timezone` in its mapping).
      tolerance_hours: Events up to this long after the end of their partition are used; later ones are set aside as
        `after_its_span`. 12 hours cover days that were cut in any other time zone.
      max_late_days: Events longer than this before the start of their partition are set aside as `too_late`; none keeps
        them all.
    """

    pattern: str
    days: int = Field(1, ge=1)
    timezone: str | None = None
    tolerance_hours: float = Field(12, ge=0)
    max_late_days: float | None = Field(None, ge=0)

    @field_validator("pattern")
    @classmethod
    def _check_pattern(cls, text: str) -> str:
        try:
            compile_pattern(text)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return text

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError("expected an IANA time zone such as Europe/Berlin")
        return name

    @property
    def spans_of(self) -> SpanPattern:
        """The pattern, compiled."""
        return compile_pattern(self.pattern)

    @property
    def step(self) -> int:
        """Distance of the numbers of two spans that follow each other."""
        return self.days if self.spans_of.is_dated else 1


class PartitionSettings(_Days):
    """How a log in dated partitions is read. A plain string is the pattern.

    Attributes:
      window_spans: Spans that a run reads, its own included; none reads all that there are.
      missing_spans: Whether a gap in them ends the run (`refuse`) or is only said (`warn`).
      complete_marker: Name of a file, such as `_SUCCESS`, without which a partition's folder counts as unfinished.
    """

    window_spans: int | None = Field(None, ge=1)
    missing_spans: Literal["refuse", "warn"] = "refuse"
    complete_marker: str | None = Field(None, min_length=1, pattern=r"^[^/]+$")

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, value: Any) -> Any:
        return {"pattern": value} if isinstance(value, str) else value

    def select(self, spans: Iterable[int]) -> "Selection":
        """Returns the selection of these spans."""
        values = {name: getattr(self, name) for name in _Days.model_fields}
        return Selection(**values, spans=tuple(sorted(spans)))


class Selection(_Days):
    """The partitions that one run reads; it travels to the workers.

    Attributes:
      spans: Their numbers, ascending; the last is the run's own. Named one by one, so that what arrives meanwhile is
        not read.
    """

    spans: tuple[int, ...] = Field(min_length=1)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Reads what `model_dump_json` wrote; empty text is no selection."""
        return cls.model_validate_json(text) if text else None

    @property
    def newest(self) -> int:
        """The run's own span."""
        return self.spans[-1]

    def keeps(self, path: str) -> bool:
        """Returns whether a file, given by its path below the input, is read: outside of partitions always."""
        found = self.spans_of.find(path)
        return found is None or found[0] in self.spans

    def times(self, path: str, timezone: str) -> PartitionTimes | None:
        """Returns which times are expected in a file; None where spans are no dates.

        Args:
          path: Path below the input.
          timezone: Zone of the stream, for settings without one.
        """
        if not self.spans_of.is_dated:
            return None
        found = self.spans_of.find(path)
        _, end_s = self.day_bounds(self.newest if found is None else found[0], timezone)
        last_s = end_s - 1 + round(self.tolerance_hours * _HOUR_S)
        if found is None:
            return PartitionTimes(None, last_s, None)
        start_s, _ = self.day_bounds(found[0], timezone)
        late_s = None if self.max_late_days is None else round(self.max_late_days * _DAY_S)
        return PartitionTimes(start_s, last_s, late_s)

    def day_bounds(self, span: int, timezone: str) -> tuple[int, int]:
        """Returns the Unix seconds at which a dated span starts, and at which the one after it does."""
        zone = ZoneInfo(self.timezone or timezone)
        first = datetime.combine(day_of(span), time(), zone)
        after = datetime.combine(day_of(span) + timedelta(days=self.days), time(), zone)
        return int(first.timestamp()), int(after.timestamp())
