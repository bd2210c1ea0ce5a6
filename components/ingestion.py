"""Ingestion on Beam: log files -> shards of users -> examples.

    pieces -> read, clean, pseudonymise, partition -> (shard, parcel) -> group -> join, label, encode -> Split-*/*.gz
                          |                                                ^
                          `-> rejects, first and last event time ----------'

Every file has a name that follows from its piece or shard and replaces its predecessor whole, so that a bundle that
Beam runs again changes nothing.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import AsSingleton, TaggedOutput

from interest_migration.errors import InterestMigrationError
from interest_migration.examples.build import build_examples
from interest_migration.examples.encode import ExampleEncoder
from interest_migration.examples.log import TimeRange
from interest_migration.examples.partition import partition_by_user
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.shard import prepare_shard
from interest_migration.examples.texts import ITEM_TEXTS, collect_item_texts
from interest_migration.ingestion.balance import PieceBalance
from interest_migration.ingestion.bounds import RejectBounds
from interest_migration.ingestion.counts import count_joins, count_labels, count_reasons, count_tables, summarise_read
from interest_migration.ingestion.dead_letters import Sources, ensure_dataset, write_dead_letters
from interest_migration.ingestion.parcels import Parcel, pack, spill
from interest_migration.ingestion.profile import PROFILE_FILE, merge_profiles, periods_of, profile_events, write_profile
from interest_migration.ingestion.summary import IngestSummary
from interest_migration.privacy.erasure import make_pseudonymiser
from interest_migration.privacy.minimum_users import count_users
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.files import Piece, absent_files, plan_pieces
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.partition_settings import Selection
from interest_migration.sources.paths import resolve_root
from interest_migration.sources.reading import read_events
from interest_migration.sources.tables import load_items, load_users
from interest_migration.storage.atomic import replacing
from interest_migration.storage.tfrecords import write_tfrecords
from interest_migration.transform.vocabularies import COUNTED
from schemas.features import USER

NO_BOUNDS = RejectBounds(max_share=1)
SPLITS = ("train", "eval", "test")
SUMMARY = "summary"
PROFILE = "profile"
SUMMARY_FILE = "summary.json"
HIDDEN_SUMMARY_FILE = f"_{SUMMARY_FILE}"
HIDDEN_PROFILE_FILE = f"_{PROFILE_FILE}"
"""Beside the rows set aside; by their names, readers of that dataset know that they are no part of it."""
VALUE_USERS = "value_users"
"""Folder in the examples: for each vocabulary, how many users of the train split have which value."""


@dataclass(frozen=True)
class Plan:
    """All that a worker needs to know; picklable.

    Attributes:
      mapping: `SourceMapping` as JSON.
      settings: `ExampleSettings` as JSON.
      input_root: Where the mapping's files are.
      key: Secret of the pseudonyms.
      shards: Number of user shards.
      examples: Folder of `Split-*`.
      rejects: Folder of the rows set aside.
      spill: Folder on a disk that all workers share; empty to send events through Beam's own shuffle.
      erasure_list: File of the users whose rows are set aside; empty for none.
      count_users: Whether the distinct users of each value are counted.
      partitions: `Selection` of dated partitions as JSON; empty where the log has none.
    """

    mapping: str
    settings: str
    input_root: str
    key: bytes = field(repr=False)
    shards: int
    examples: str
    rejects: str
    spill: str = ""
    erasure_list: str = ""
    count_users: bool = False
    partitions: str = ""

    def pseudonymiser(self) -> Pseudonymiser:
        """Returns what replaces user ids, and knows the erased users."""
        return make_pseudonymiser(self.key, Path(self.erasure_list) if self.erasure_list else None)


class _ReadPiece(beam.DoFn):
    """(index, piece) -> (shard, parcel) of each batch; one summary of what was read and set aside."""

    def __init__(self, plan: Plan, sources: Sources) -> None:
        self._plan, self._sources = plan, sources

    def setup(self) -> None:
        self._mapping = SourceMapping.model_validate_json(self._plan.mapping)
        self._pseudonymiser = self._plan.pseudonymiser()

    def process(self, element: tuple[int, Piece]) -> Iterator[Any]:
        index, piece = element
        balance = PieceBalance(piece, self._sources.rows[index])
        with write_dead_letters(Path(self._plan.rejects), f"piece-{index:05d}", self._sources) as add:
            for number, (events, rejected) in enumerate(read_events(piece, index, self._mapping, self._pseudonymiser)):
                balance.add(events, rejected)
                add(rejected)
                yield TaggedOutput(SUMMARY, summarise_read(events, rejected, piece))
                yield from self._partition(events, f"{index:05d}-{number:05d}")
            balance.check()
        yield TaggedOutput(SUMMARY, IngestSummary(tables=count_joins(self._mapping, piece)))

    def _partition(self, events: pa.RecordBatch, name: str) -> Iterable[tuple[int, Parcel]]:
        parts = partition_by_user(events, self._plan.shards)
        if not self._plan.spill:
            return pack(parts)
        return spill(parts, Path(self._plan.spill) / f"events-{name}.arrow")


class _BuildShard(beam.DoFn):
    """(shard, parcels) -> the shard's files in every split, and its summary."""

    def __init__(self, plan: Plan, sources: Sources) -> None:
        self._plan, self._sources = plan, sources

    def setup(self) -> None:
        mapping = SourceMapping.model_validate_json(self._plan.mapping)
        self._settings = ExampleSettings.model_validate_json(self._plan.settings)
        selection = Selection.parse(self._plan.partitions)
        self._periods = periods_of(selection, mapping)
        self._items = load_items(mapping, self._plan.input_root, selection)
        self._users = load_users(mapping, self._plan.input_root, self._plan.pseudonymiser(), selection)
        self._encoder = ExampleEncoder()

    def process(self, element: tuple[int, Iterable[Parcel]], read: IngestSummary) -> Iterator[Any]:
        shard, parcels = element
        tables = [pa.Table.from_batches([parcel.open()]) for parcel in parcels]
        events = pa.concat_tables(tables, promote_options="permissive")
        if self._items:
            events = self._items.join(events)
        prepared, rejected = prepare_shard(events, self._settings)
        if self._periods:
            yield TaggedOutput(PROFILE, profile_events(prepared, self._periods))
        attributes = self._users.attributes(prepared.users) if self._users else None
        if read.first_event_s is None or read.last_event_s is None:
            return
        log = TimeRange(read.first_event_s, read.last_event_s + 1)
        splits = build_examples(prepared, log, self._settings, attributes)
        for split in SPLITS:
            self._write(split, shard, splits.get(split))
        with write_dead_letters(Path(self._plan.rejects), f"shard-{shard:05d}", self._sources) as add:
            add(rejected)
        if self._plan.count_users:
            _count_value_users(self._plan, shard, splits["train"])
        if self._settings.item_texts:
            _write_item_texts(self._plan, shard, collect_item_texts(events, self._items))
        yield IngestSummary(
            rows_used=len(prepared.time_s),
            rejected=count_reasons(rejected),
            users=len(prepared.users),
            examples={split: batch.num_rows for split, batch in splits.items()},
            labels={split: count_labels(batch) for split, batch in splits.items()},
            tables=count_tables(self._items, self._users),
        )

    def _write(self, split: str, shard: int, batch: pa.RecordBatch | None) -> None:
        path = Path(self._plan.examples) / f"Split-{split}" / f"data-{shard:05d}-of-{self._plan.shards:05d}.gz"
        with replacing(path, scratch=Path(self._plan.rejects)) as temporary:
            write_tfrecords(temporary, [] if batch is None else self._encoder.encode(batch))


def expand_ingestion(pipeline: beam.Pipeline, plan: Plan) -> None:
    """Adds ingestion to a pipeline. The summary is written to `<rejects>/_summary.json`.

    Raises:
      DataError: If the mapping's files are missing.
    """
    mapping, selection = SourceMapping.model_validate_json(plan.mapping), Selection.parse(plan.partitions)
    pieces = plan_pieces(mapping, plan.input_root, selection)
    sources = Sources.of(pieces, resolve_root(plan.input_root).folder)
    absent = absent_files(mapping, plan.input_root, selection)
    notes = pipeline | "Notes" >> beam.Create([IngestSummary(notes=absent)])
    parcels, read_summary = read_parcels(pipeline, plan, pieces)
    built = parcels | "Build" >> beam.ParDo(_BuildShard(plan, sources), AsSingleton(read_summary)).with_outputs(
        PROFILE, main="summaries"
    )
    if periods_of(selection, mapping):
        profiles = built[PROFILE] | "Profile" >> beam.CombineGlobally(merge_profiles)
        _ = profiles | "WriteProfile" >> beam.Map(write_profile, f"{plan.rejects}/{HIDDEN_PROFILE_FILE}")
    _ = (
        (notes, read_summary, built.summaries)
        | "Summaries" >> beam.Flatten()
        | "Sum" >> beam.CombineGlobally(IngestSummary.total)
        | "WriteSummary" >> beam.Map(_write_summary, plan.rejects)
    )


def read_parcels(pipeline: beam.Pipeline, plan: Plan, pieces: list[Piece]) -> tuple[beam.PCollection, beam.PCollection]:
    """Reads pieces; rows that cannot be used are set aside.

    Returns:
      (shard, parcels) of every shard of users, and the `IngestSummary` of what was read.
    """
    sources = Sources.of(pieces, resolve_root(plan.input_root).folder)
    read = (
        pipeline
        | "Pieces" >> beam.Create(list(enumerate(pieces)))  # which also spreads them over the workers
        | "Read" >> beam.ParDo(_ReadPiece(plan, sources)).with_outputs(SUMMARY, main="parcels")
    )
    summary = read[SUMMARY] | "SumRead" >> beam.CombineGlobally(IngestSummary.total)
    typed = read.parcels | "Typed" >> beam.Map(lambda parcel: parcel).with_output_types(tuple[int, Parcel])
    return typed | "GroupByShard" >> beam.GroupByKey(), summary


def read_summary(rejects: str | Path) -> IngestSummary:
    """Returns the summary that an ingestion left in its folder of rejects."""
    return IngestSummary.from_json((Path(rejects) / HIDDEN_SUMMARY_FILE).read_text(encoding="utf-8"))


def ingest(
    mapping: SourceMapping,
    input_root: str,
    output: Path,
    examples: ExampleSettings,
    key: bytes,
    shards: int,
    beam_args: list[str],
    bounds: RejectBounds = NO_BOUNDS,
    erasure_list: Path | None = None,
) -> IngestSummary:
    """Runs ingestion alone: examples to `output/examples`, rows set aside to `output/rejects`.

    Raises:
      DataError: If files are missing, rows do not balance or a split stays empty.
      RefusedError: If more rows are bad than `bounds` accepts.
    """
    plan = Plan(
        mapping=mapping.model_dump_json(),
        settings=examples.model_dump_json(),
        input_root=input_root,
        key=key,
        shards=shards,
        examples=str(output / "examples"),
        rejects=str(output / "rejects"),
        spill=str(output / "spill"),
        erasure_list=str(erasure_list or ""),
    )
    return run_ingestion(beam.Pipeline(options=PipelineOptions(beam_args)), plan, bounds)


def run_ingestion(pipeline: beam.Pipeline, plan: Plan, bounds: RejectBounds, keep: Path | None = None) -> IngestSummary:
    """Runs a pipeline that holds nothing but the ingestion, into emptied folders, and checks what it did.

    Args:
      pipeline: The pipeline, still empty.
      plan: What to do.
      bounds: How many rows may be bad.
      keep: Receives a copy of the rows set aside if a check fails, since an orchestrator removes what a failed step
        has written.

    Raises:
      DataError: If files are missing, rows do not balance or a split stays empty.
      RefusedError: If more rows are bad than `bounds` accepts.
    """
    folders = [Path(folder) for folder in (plan.examples, plan.rejects, plan.spill) if folder]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    try:
        with pipeline:
            expand_ingestion(pipeline, plan)
    finally:
        if plan.spill:
            shutil.rmtree(plan.spill, ignore_errors=True)
    ensure_dataset(Path(plan.rejects))
    summary = read_summary(plan.rejects)
    try:
        summary.check()
        bounds.check(summary)
        summary.check_splits()
    except InterestMigrationError as error:
        place = shutil.copytree(plan.rejects, keep, dirs_exist_ok=True) if keep else plan.rejects
        error.args = (f"{error}\nThe rows set aside: {place}",)
        raise
    return summary


def _count_value_users(plan: Plan, shard: int, train: pa.RecordBatch) -> None:
    users = train[USER].flatten()
    for vocabulary, features in COUNTED.items():
        path = Path(plan.examples) / VALUE_USERS / vocabulary / f"data-{shard:05d}-of-{plan.shards:05d}.parquet"
        with replacing(path, scratch=Path(plan.rejects)) as temporary:
            pq.write_table(count_users(users, [train[name] for name in features]), temporary)


def _write_item_texts(plan: Plan, shard: int, texts: pa.Table) -> None:
    path = Path(plan.examples) / ITEM_TEXTS / f"data-{shard:05d}-of-{plan.shards:05d}.parquet"
    with replacing(path, scratch=Path(plan.rejects)) as temporary:
        pq.write_table(texts, temporary)


def _write_summary(summary: IngestSummary, rejects: str) -> None:
    with replacing(Path(rejects) / HIDDEN_SUMMARY_FILE) as temporary:
        temporary.write_text(summary.to_json(), encoding="utf-8")
