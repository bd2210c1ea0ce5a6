"""All spans of a log, and what became of them."""

from typing import Any

from interest_migration.errors import ConfigError
from interest_migration.sources.files import fingerprints
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.partition_settings import PartitionSettings
from interest_migration.sources.partitions import Partition, find_gaps, list_partitions
from pipeline.config import PipelineConfig
from pipeline.data_records import latest_digests, read_records
from pipeline.spans import describe_partition


def list_spans(config: PipelineConfig, *, verify: bool = False) -> list[dict[str, Any]]:
    """Returns one row per span, ascending.

    Args:
      config: With an input and partitions.
      verify: Whether all bytes are read, to find spans that changed since a run used them.

    Returns:
      span, date, places, files, bytes, complete, state (`complete`, `unfinished`, `empty`, `missing` or `changed`),
      used_by (the newest finished run that read it, or None).

    Raises:
      ConfigError: If the configuration has no partitions or no input.
      DataError: If the input is not there.
    """
    settings = config.data.partitions
    if settings is None or config.data.input is None:
        raise ConfigError("spans: expected data.partitions and data.input in the configuration, received none")
    partitions = list_partitions(config.data.input, settings)
    used = latest_digests(read_records(config.workspace))
    now = _fingerprints(config, settings, partitions) if verify else {}
    rows = []
    for partition in [*partitions, *_missing(settings, partitions)]:
        digest, run = used.get(partition.span, ("", None))
        changed = run is not None and now.get(partition.span, digest) != digest
        state = "changed" if changed else _state(partition)
        rows.append({**describe_partition(settings, partition), "state": state, "used_by": run})
    return sorted(rows, key=lambda row: row["span"])


def _state(partition: Partition) -> str:
    if not partition.places:
        return "missing"
    if not partition.complete:
        return "unfinished"
    return "complete" if partition.size_bytes else "empty"


def _missing(settings: PartitionSettings, partitions: list[Partition]) -> list[Partition]:
    """Gaps over all partitions, whatever the window."""
    there = {partition.span for partition in partitions}
    if not there:
        return []
    whole = settings.model_copy(update={"window_spans": None})
    gaps = find_gaps(partitions, whole, max(there))
    return [Partition(span, (), 0, 0, complete=False) for span in gaps if span not in there]


def _fingerprints(config: PipelineConfig, settings: PartitionSettings, partitions: list[Partition]) -> dict[int, str]:
    spans = [partition.span for partition in partitions if partition.complete]
    if not spans:
        return {}
    mapping = SourceMapping.from_yaml(config.data.mapping)
    return fingerprints(mapping, str(config.data.input), settings.select(spans)).spans
