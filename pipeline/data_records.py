"""What each finished run read, so that a later one can compare its data and notice that a span was delivered again."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from interest_migration.data_gate.evidence import Reference
from interest_migration.storage.atomic import replacing
from pipeline.workspace import OUTCOME_FILE

RECORD_FILE: Final = "data.json"
"""Beside a run's outcome."""


@dataclass(frozen=True)
class DataRecord:
    """Data of one run.

    Attributes:
      run: Name of the run.
      name: What people call the data.
      span: Number of the span.
      fingerprint: Of all bytes that were read.
      definition: Of mapping and examples' settings: with another one, examples mean something else.
      statistics: Folder of the statistics.
      summary: Folder of the counts.
      spans: Span -> fingerprint of its partition; empty without partitions.
      at: When the run ended, written as names of runs are, where the run's own name does not tell its time.
    """

    run: str
    name: str
    span: int
    fingerprint: str
    definition: str
    statistics: str
    summary: str
    spans: dict[int, str] = field(default_factory=dict)
    at: str = ""

    def write(self, folder: Path) -> None:
        """Writes it into the run's folder."""
        with replacing(folder / RECORD_FILE) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads what `write` wrote."""
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**values, "spans": {int(span): digest for span, digest in values["spans"].items()}})


def read_records(workspace: Path) -> list[DataRecord]:
    """Returns the records of all finished runs, oldest first."""
    paths = workspace.glob(f"runs/*/{RECORD_FILE}")
    records = [DataRecord.read(path) for path in paths if path.with_name(OUTCOME_FILE).exists()]
    return sorted(records, key=lambda record: record.at or record.run)


def latest_digests(records: list[DataRecord]) -> dict[int, tuple[str, str]]:
    """Returns span -> (fingerprint, run) of the newest finished run that read it."""
    return {span: (digest, record.run) for record in records for span, digest in record.spans.items()}


def find_reference(
    records: list[DataRecord], span: int, fingerprint: str, definition: str, *, partitioned: bool
) -> Reference | None:
    """Finds the run to compare with: the newest of an earlier span, or, without partitions, the newest of other data.

    Runs whose statistics have been deleted are passed over.
    """
    for record in reversed(records):
        earlier = record.span < span if partitioned else record.fingerprint != fingerprint
        if earlier and Path(record.statistics).is_dir() and Path(record.summary).is_dir():
            from components.data_gate import digest_reference

            return Reference(
                name=record.name,
                statistics=record.statistics,
                summary=record.summary,
                digest=digest_reference(record.statistics, record.summary),
                comparable=record.definition == definition,
            )
    return None


def define(*texts: str) -> str:
    """Returns a digest of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
