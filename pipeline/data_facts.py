"""What the submitting command finds out about a run's data before the run: it becomes part of the cache keys."""

from dataclasses import dataclass
from pathlib import Path

from interest_migration.data_gate.anomalies import describe_change
from interest_migration.data_gate.evidence import Delivery, Reference
from interest_migration.data_gate.requests import digest_requests
from interest_migration.data_gate.settings import DataGateSettings
from interest_migration.sources.column_changes import find_column_changes
from interest_migration.sources.files import Fingerprints, fingerprints
from interest_migration.sources.mapping import SourceMapping
from pipeline.config import PipelineConfig
from pipeline.data_records import DataRecord, define, find_reference, read_records
from pipeline.spans import SpanPlan, age_in_days, describe_deliveries

_WHOLE = "all data"


@dataclass(frozen=True)
class DataFacts:
    """What is known of the data.

    Attributes:
      span: Number of the run's span.
      fingerprints: Of all bytes, and of each partition.
      definition: Digest of the mapping and of the definition of examples.
      delivery: For the data gate.
      reference: The earlier run to compare with.
      requests: Digest of the logged requests; empty where no rule looks at them.
      notes: What a person should know, one sentence each.
    """

    span: int
    fingerprints: Fingerprints
    definition: str
    delivery: Delivery
    reference: Reference | None
    requests: str
    notes: tuple[str, ...]

    def record(self, run_id: str, artifacts: dict[str, str]) -> DataRecord:
        """Returns what later runs need to know of this one."""
        return DataRecord(
            run=run_id,
            name=self.delivery.name,
            span=self.span,
            fingerprint=self.fingerprints.whole,
            definition=self.definition,
            statistics=artifacts["statistics"],
            summary=artifacts["summary"],
            spans=self.fingerprints.spans,
        )


def find_facts(
    config: PipelineConfig, mapping: SourceMapping, rules: DataGateSettings | None, spans: SpanPlan | None
) -> DataFacts:
    """Reads all bytes of the input once, and the records of earlier runs.

    Raises:
      InputError: If the input cannot be read.
    """
    records = read_records(config.workspace)
    definition = define(mapping.model_dump_json(), config.examples.model_dump_json())
    digests = fingerprints(mapping, str(config.data.input), spans.selection if spans else None)
    span, whole = config.data.span, digests.whole
    delivery = _deliver(config, mapping, rules, spans)
    notes = [describe_change(change) for change in delivery.changes]
    if spans:
        notes = [*spans.notes(), *notes, *describe_deliveries(spans.settings, digests.spans, records)]
    return DataFacts(
        span=span,
        fingerprints=digests,
        definition=definition,
        delivery=delivery,
        reference=find_reference(records, span, whole, definition, partitioned=spans is not None),
        requests=digest_requests(rules.serving.logs) if rules and rules.serving else "",
        notes=tuple(notes),
    )


def read_rules(config: PipelineConfig, root: Path) -> DataGateSettings | None:
    """Reads the data gates; the folder of logged requests becomes absolute, relative to the project root.

    Raises:
      ConfigError: If the file does not fit.
    """
    if config.data_gates is None:
        return None
    rules = DataGateSettings.from_yaml(config.data_gates)
    if rules.serving is None:
        return rules
    serving = rules.serving.model_copy(update={"logs": str(root / rules.serving.logs)})
    return rules.model_copy(update={"serving": serving})


def _deliver(
    config: PipelineConfig, mapping: SourceMapping, rules: DataGateSettings | None, spans: SpanPlan | None
) -> Delivery:
    if spans is None:
        return Delivery(name=_WHOLE)
    end_s = None
    if spans.settings.spans_of.is_dated:
        zone = mapping.streams[0].fields.time.timezone
        _, end_s = spans.selection.day_bounds(spans.selection.newest, zone)
    asked = rules is not None and rules.freshness.span_age_days is not None and end_s is not None
    return Delivery(
        name=spans.name,
        end_s=end_s,
        age_days=age_in_days(end_s) if asked and end_s is not None else None,
        changes=find_column_changes(mapping, str(config.data.input), spans.selection),
    )
