"""What the data gate judges."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from interest_migration.data_gate.distributions import Distribution
from interest_migration.ingestion.summary import IngestSummary
from interest_migration.settings import Settings
from interest_migration.sources.column_changes import ColumnChange

Features = Mapping[str, Distribution]
"""Feature -> its values."""


class Delivery(Settings):
    """What the submitting command knows of a run's data. It follows from the data alone, since it is a cache key.

    Attributes:
      name: What people call the data: `2024-01-31 (span 19753)`.
      end_s: Unix seconds at which the span ends; None without dates.
      age_days: Whole days from then to the run; None where no rule asks for it.
      changes: Columns that changed since the span before.
    """

    name: str
    end_s: int | None = None
    age_days: int | None = None
    changes: tuple[ColumnChange, ...] = ()


class Reference(Settings):
    """An earlier run, whose data are compared with.

    Attributes:
      name: What people call its data.
      statistics: Folder of its statistics.
      summary: Folder of its summary.
      digest: Of the files in both.
      comparable: Whether its examples were defined as those of this run are.
    """

    name: str
    statistics: str
    summary: str
    digest: str
    comparable: bool = True


@dataclass(frozen=True)
class Anomaly:
    """What the validation against the curated schema found.

    Attributes:
      split: Where.
      feature: Which feature; empty if it concerns the whole split.
      description: In words.
    """

    split: str
    feature: str
    description: str


@dataclass(frozen=True)
class Before:
    """The earlier run, read.

    Attributes:
      reference: Which.
      splits: Split -> features.
      summary: Its counts.
    """

    reference: Reference
    splits: Mapping[str, Features]
    summary: IngestSummary


@dataclass(frozen=True)
class Requests:
    """What clients sent.

    Attributes:
      features: Feature -> its values.
      examples: Number of requests.
    """

    features: Features
    examples: int


@dataclass(frozen=True)
class Evidence:
    """Everything about the data of one run.

    Attributes:
      delivery: What the submitting command knows.
      splits: Split -> features.
      summary: Counts of the ingestion.
      anomalies: Against the curated schema.
      profile: Events of the newest spans, see `interest_migration.ingestion.profile`; None without dated partitions.
      before: The earlier run; None if there is none.
      requests: What clients sent; None where no rule asks for it.
    """

    delivery: Delivery
    splits: Mapping[str, Features]
    summary: IngestSummary
    anomalies: tuple[Anomaly, ...] = ()
    profile: pa.Table | None = None
    before: Before | None = None
    requests: Requests | None = None
