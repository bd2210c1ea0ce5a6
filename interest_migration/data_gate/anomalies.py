"""What does not fit the curated schema, and what changed in the columns of the files."""

from collections.abc import Iterator
from math import nan

from interest_migration.data_gate.evidence import Evidence
from interest_migration.data_gate.settings import DataGateSettings
from interest_migration.gates.decision import Check, CheckVerdict
from interest_migration.sources.column_changes import ColumnChange


def check_anomalies(evidence: Evidence, settings: DataGateSettings) -> Iterator[Check]:
    """Yields one check per anomaly, or one that there are none."""
    for anomaly in evidence.anomalies:
        noted = settings.anomalies == "note" or anomaly.feature in settings.ignore_anomalies
        verdict = CheckVerdict.UNDECIDED if noted else CheckVerdict.BROKEN
        subject = f"feature {anomaly.feature}" if anomaly.feature else "the split"
        reason = f"schema: {subject}, {anomaly.split} split: {anomaly.description}"
        yield Check("schema", subject, f"{anomaly.split} split", nan, nan, nan, "", "fits", verdict, reason)
    if not evidence.anomalies:
        reason = "schema: all splits fit the curated schema"
        yield Check("schema", "examples", "all splits", nan, nan, nan, "", "fits", CheckVerdict.PASSED, reason)


def check_columns(evidence: Evidence, settings: DataGateSettings) -> Iterator[Check]:
    """Yields one check per column that changed since the span before."""
    for change in evidence.delivery.changes:
        refused = getattr(settings.columns, change.kind) == "refuse"
        verdict = CheckVerdict.BROKEN if refused else CheckVerdict.UNDECIDED
        reason = f"columns: {describe_change(change)}"
        where = evidence.delivery.name
        yield Check("columns", f"column {change.column}", where, nan, nan, nan, "", change.kind, verdict, reason)


def describe_change(change: ColumnChange) -> str:
    """Returns a change of a column in words."""
    column = f"stream {change.stream!r}, column {change.column!r}"
    if change.kind == "new":
        return f"{column} is new in the newest span; name it in the mapping if it is to be used"
    if change.kind == "gone":
        return f"{column} is gone from the newest span"
    return f"{column} was {change.before} in the span before and is {change.now} in the newest"
