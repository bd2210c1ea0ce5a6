"""Which spans a run reads. The submitting command decides it: no orchestrator can be relied on to run a driver."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from interest_migration.errors import ConfigError, DataError
from interest_migration.sources.partition_settings import PartitionSettings, Selection
from interest_migration.sources.partitions import (
    Partition,
    choose_span,
    find_gaps,
    list_partitions,
    name_spans,
    select_window,
)
from interest_migration.sources.span_patterns import day_of, span_of_day
from pipeline.config import PipelineConfig
from pipeline.data_records import DataRecord, latest_digests

_DAY_S = 86_400


@dataclass(frozen=True)
class SpanPlan:
    """The spans of one run.

    Attributes:
      settings: How partitions are named and read.
      partitions: All that there are.
      selection: What is read.
      gaps: Spans that are missing in the window.
    """

    settings: PartitionSettings
    partitions: tuple[Partition, ...]
    selection: Selection
    gaps: tuple[int, ...]

    @property
    def name(self) -> str:
        """What people call the run's span."""
        return self.settings.spans_of.name(self.selection.newest)

    @property
    def chosen(self) -> tuple[Partition, ...]:
        """The partitions that are read."""
        return tuple(partition for partition in self.partitions if partition.span in self.selection.spans)

    def notes(self) -> list[str]:
        """Returns what a person should know, one sentence each."""
        newest = self.selection.newest
        empty = [partition.span for partition in self.chosen if not partition.size_bytes]
        unfinished = [partition.span for partition in self.partitions if not partition.complete]
        newer = [each.span for each in self.partitions if each.complete and each.span > newest]
        found = {
            "missing inside the window": self.gaps,
            "without data": empty,
            f"without {self.settings.complete_marker}, so not read": unfinished,
            "newer than the run's span, so not read": newer,
        }
        return [f"{name_spans(self.settings, spans)}: {what}" for what, spans in found.items() if spans]

    def describe(self) -> dict[str, Any]:
        """Returns plain values."""
        return {
            "span": self.selection.newest,
            "name": self.name,
            "read": [describe_partition(self.settings, partition) for partition in self.chosen],
            "missing": [self.settings.spans_of.name(span) for span in self.gaps],
            "notes": self.notes(),
        }


def plan_spans(config: PipelineConfig, wanted: str | None = None) -> SpanPlan | None:
    """Chooses span and window; None for a log without partitions.

    Args:
      config: With an input.
      wanted: Number or date of the run's span; none is the newest complete one.

    Raises:
      ConfigError: If a span is asked of a log without partitions, or the text is none.
      DataError: If the span is not there, not complete or empty, or one inside the window is missing.
    """
    settings = config.data.partitions
    if settings is None:
        if wanted is not None:
            raise ConfigError(
                "--span: expected data.partitions in the configuration, received none; name a pattern there"
            )
        return None
    partitions = tuple(list_partitions(str(config.data.input), settings))
    span = choose_span(partitions, settings, None if wanted is None else parse_span(wanted, settings))
    selection = select_window(partitions, settings, span)
    plan = SpanPlan(settings, partitions, selection, find_gaps(partitions, settings, span))
    if plan.gaps and settings.missing_spans == "refuse":
        raise DataError(
            f"expected every partition from {settings.spans_of.name(selection.spans[0])} to {plan.name}, received none "
            f"for {name_spans(settings, plan.gaps)}; deliver them, shorten partitions.window_spans, or set "
            "partitions.missing_spans: warn"
        )
    return plan


def parse_span(text: str, settings: PartitionSettings) -> int:
    """Returns the span of a number or a date: `19753`, `2024-01-31`.

    Raises:
      ConfigError: If it is neither.
    """
    if text.isdecimal():
        return int(text)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"--span: expected a number or a date such as 2024-01-31, received {text!r}") from error
    if not settings.spans_of.is_dated:
        raise ConfigError(f"--span: expected a number, since {settings.pattern} has no dates, received {text!r}")
    return span_of_day(day)


def describe_partition(settings: PartitionSettings, partition: Partition) -> dict[str, Any]:
    """Returns a partition as plain values."""
    return {
        "span": partition.span,
        "date": str(day_of(partition.span)) if settings.spans_of.is_dated else None,
        "places": list(partition.places),
        "files": partition.files,
        "bytes": partition.size_bytes,
        "complete": partition.complete,
    }


def describe_deliveries(
    settings: PartitionSettings, fingerprints: dict[int, str], records: list[DataRecord]
) -> list[str]:
    """Returns a sentence for each span whose bytes are not those that a finished run last used."""
    used = latest_digests(records)
    return [
        f"{settings.spans_of.name(span)}: delivered again with other bytes, {used[span][0]} in run {used[span][1]}, "
        f"{digest} now"
        for span, digest in fingerprints.items()
        if span in used and used[span][0] != digest
    ]


def age_in_days(end_s: int) -> int:
    """Returns the whole days from a time to now; 0 if it is still to come."""
    return max(0, int(datetime.now(tz=UTC).timestamp() - end_s) // _DAY_S)
