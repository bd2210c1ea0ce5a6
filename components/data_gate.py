"""DataGate: nothing is learned from data that do not pass.

It takes the curated schema in and gives it out again. Transform, Trainer and Evaluator take the schema from here, so no
orchestrator can start them before the gate has passed, and none needs conditions for that.
"""

import shutil
from pathlib import Path

import pyarrow as pa
import tensorflow_data_validation as tfdv
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import ExampleAnomalies, ExampleStatistics, Schema

from components.artifacts import Decision, Summary
from components.data_statistics import read_anomalies, read_statistics, to_features
from components.decisions import write_decision
from components.ingestion import SPLITS, SUMMARY_FILE
from interest_migration.data_gate.errors import DataRefusedError
from interest_migration.data_gate.evidence import Before, Delivery, Evidence, Reference, Requests
from interest_migration.data_gate.judge import judge
from interest_migration.data_gate.requests import request_files
from interest_migration.data_gate.settings import DataGateSettings
from interest_migration.errors import DataError
from interest_migration.ingestion.profile import PROFILE_FILE, read_profile
from interest_migration.ingestion.summary import IngestSummary
from interest_migration.serving.versions import digest_files


@component
def DataGate(  # noqa: N802 - a component reads like a class
    settings: Parameter[str],
    delivery: Parameter[str],
    reference: Parameter[str],
    requests: Parameter[str],
    code: Parameter[str],
    statistics: InputArtifact[ExampleStatistics],
    anomalies: InputArtifact[ExampleAnomalies],
    summary: InputArtifact[Summary],
    schema: InputArtifact[Schema],
    approved_schema: OutputArtifact[Schema],
    decision: OutputArtifact[Decision],
) -> None:
    """Judges the data and hands the schema on.

    Args:
      settings: `DataGateSettings` as JSON.
      delivery: `Delivery` as JSON.
      reference: `Reference` to an earlier run as JSON; empty if there is none.
      requests: Digest of the logged requests; only part of the cache key.
      code: Digest of the gate's code; only part of the cache key.
      statistics: Of the examples.
      anomalies: What ExampleValidator found in them.
      summary: Counts of the ingestion, and the profile of the newest spans.
      schema: The curated schema.
      approved_schema: The same schema.
      decision: The decision.

    Raises:
      DataRefusedError: If a check is broken or the gate cannot be computed.
    """
    del requests, code  # Only part of the cache key.
    rules = DataGateSettings.model_validate_json(settings)
    try:
        found = judge(_collect(rules, delivery, reference, statistics.uri, anomalies.uri, summary.uri), rules)
    except Exception as error:
        raise DataRefusedError.unmeasured(error) from error
    write_decision(decision, found)
    if not found.passed:
        raise DataRefusedError(found)
    shutil.copytree(schema.uri, approved_schema.uri, dirs_exist_ok=True)


def _collect(
    rules: DataGateSettings, delivery: str, reference: str, statistics: str, anomalies: str, summary: str
) -> Evidence:
    return Evidence(
        delivery=Delivery.model_validate_json(delivery),
        splits={split: read_statistics(statistics, split) for split in SPLITS},
        summary=_read_summary(summary),
        anomalies=tuple(anomaly for split in SPLITS for anomaly in read_anomalies(anomalies, split)),
        profile=_read_profile(summary),
        before=_read_before(Reference.model_validate_json(reference)) if reference else None,
        requests=_read_requests(rules.serving.logs) if rules.serving else None,
    )


def _read_before(reference: Reference) -> Before:
    """Reads an earlier run.

    Raises:
      DataError: If its files are not those that the submitting command saw.
    """
    found = digest_reference(reference.statistics, reference.summary)
    if found != reference.digest:
        raise DataError(f"expected the statistics of {reference.name} as they were written, received others")
    splits = {split: read_statistics(reference.statistics, split) for split in SPLITS}
    return Before(reference, splits, _read_summary(reference.summary))


def digest_reference(statistics: str, summary: str) -> str:
    """Returns a digest of an earlier run's statistics and counts."""
    return f"{digest_files(Path(statistics))[:16]}-{digest_files(Path(summary))[:16]}"


def _read_summary(folder: str) -> IngestSummary:
    return IngestSummary.from_json((Path(folder) / SUMMARY_FILE).read_text(encoding="utf-8"))


def _read_profile(folder: str) -> pa.Table | None:
    path = Path(folder) / PROFILE_FILE
    return read_profile(path) if path.exists() else None


def _read_requests(folder: str) -> Requests:
    files = request_files(folder)
    if not files:
        return Requests({}, 0)
    statistics = tfdv.generate_statistics_from_tfrecord([str(path) for path in files])
    return Requests(to_features(statistics), statistics.datasets[0].num_examples)
