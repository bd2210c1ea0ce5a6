"""The count of everything ingestion did: rows in = rows used + rows set aside."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from interest_migration.errors import DataError


@dataclass(frozen=True)
class TableCounts:
    """Rows of a table, which become no events.

    Attributes:
      rows_read: Rows found in its files, but for those that its filters drop.
      rows_used: Those that can be found by their key.
      left_out: Those that were broken, had no key, or were replaced by a later row with the same key.
    """

    rows_read: int
    rows_used: int
    left_out: int


@dataclass(frozen=True)
class IngestSummary:
    """Counts of one ingestion; two of them add up.

    Attributes:
      rows_read: Rows found in the files.
      rows_used: Events behind the examples.
      rejected: Reason -> rows set aside for it.
      users: Distinct users with at least one used event.
      first_event_s: Unix seconds of the first used event; None if there is none.
      last_event_s: Unix seconds of the last used event.
      examples: Split -> examples written.
      labels: Split -> label -> examples that have it (the others cannot, see docs/examples_and_labels.md).
      notes: What a person should know besides, such as optional files that are absent.
      tables: Name of a table -> its rows. Of equal names one counts: every worker reads the whole table.
      late_events: Used events that are older than the day of the partition they came in.
      largest_delay_s: Longest time from such an event to the start of that day, in seconds.
    """

    rows_read: int = 0
    rows_used: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    users: int = 0
    first_event_s: int | None = None
    last_event_s: int | None = None
    examples: dict[str, int] = field(default_factory=dict)
    labels: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tables: dict[str, TableCounts] = field(default_factory=dict)
    late_events: int = 0
    largest_delay_s: int = 0

    @classmethod
    def total(cls, parts: Iterable["IngestSummary"]) -> Self:
        """Adds summaries up."""
        parts = list(parts)
        starts = [part.first_event_s for part in parts if part.first_event_s is not None]
        ends = [part.last_event_s for part in parts if part.last_event_s is not None]
        splits = sorted({split for part in parts for split in part.labels})
        return cls(
            rows_read=sum(part.rows_read for part in parts),
            rows_used=sum(part.rows_used for part in parts),
            rejected=_add(part.rejected for part in parts),
            users=sum(part.users for part in parts),
            first_event_s=min(starts, default=None),
            last_event_s=max(ends, default=None),
            examples=_add(part.examples for part in parts),
            labels={split: _add(part.labels.get(split, {}) for part in parts) for split in splits},
            notes=list(dict.fromkeys(note for part in parts for note in part.notes)),
            tables=dict(sorted({name: counts for part in parts for name, counts in part.tables.items()}.items())),
            late_events=sum(part.late_events for part in parts),
            largest_delay_s=max((part.largest_delay_s for part in parts), default=0),
        )

    def check(self) -> None:
        """Checks the balance.

        Raises:
          DataError: If rows were lost, of the streams or of a table.
        """
        set_aside = sum(self.rejected.values())
        if self.rows_read != self.rows_used + set_aside:
            raise DataError(f"rows do not balance: read {self.rows_read}, used {self.rows_used}, set aside {set_aside}")
        for name, table in self.tables.items():
            if table.rows_read != table.rows_used + table.left_out:
                raise DataError(f"rows of {name} do not balance: received {table}")

    def check_splits(self) -> None:
        """Checks that every split has examples.

        Raises:
          DataError: If one is empty; the message says what to change.
        """
        empty = [split for split in ("train", "eval", "test") if not self.examples.get(split)]
        if empty:
            raise DataError(
                f"expected examples in train, eval and test, received none in {', '.join(empty)} "
                f"({self.rows_used} usable events of {self.users} users, {self._span()}; "
                f"set aside: {self._set_aside()}). Shorten examples.horizons_days, cut_every_days or "
                "min_history_days, lower eval_cuts and test_cuts, or give a longer log"
            )

    def to_json(self) -> str:
        """Returns the counts as one JSON object."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        tables = {name: TableCounts(**counts) for name, counts in values.pop("tables", {}).items()}
        return cls(**values, tables=tables)

    def _set_aside(self) -> str:
        return ", ".join(f"{count} {reason}" for reason, count in sorted(self.rejected.items())) or "none"

    def _span(self) -> str:
        if self.first_event_s is None or self.last_event_s is None:
            return "no log span"
        first, last = (datetime.fromtimestamp(time_s, UTC).date() for time_s in (self.first_event_s, self.last_event_s))
        return f"{first} to {last}"


def _add(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    return dict(sorted(total.items()))
