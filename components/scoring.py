"""Scoring on Beam: shards of examples, or a log's users as they stand at one moment, to Parquet files of scores.

    log --> read, clean, pseudonymise, partition --> (shard, parcel) --> inputs at the moment --> features/data-*.gz
    features/data-*.gz, or examples that are there --> serving_default --> *.parquet, rejects/*.parquet

A worker loads the model once. Shards that were scored before are skipped, so that a run that was killed goes on.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import AsSingleton

from components.ingestion import Plan, read_parcels
from interest_migration.errors import DataError
from interest_migration.examples.build import build_features
from interest_migration.examples.encode import ExampleEncoder
from interest_migration.examples.settings import ExampleSettings
from interest_migration.ingestion.parcels import Parcel
from interest_migration.ingestion.summary import IngestSummary
from interest_migration.serving.scoring import ScoreCounts, Scorer, Shard
from interest_migration.sources.files import fingerprint, plan_pieces
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.partition_settings import Selection
from interest_migration.sources.tables import load_items
from interest_migration.storage.atomic import replacing
from interest_migration.storage.tfrecords import write_tfrecords

LAST_EVENT: Final = -1
"""Stands for the moment one second after a log's newest event."""
_DONE_FILE: Final = "_done.json"
_COUNTS_FILE: Final = "_counts.json"


class _ScoreShard(beam.DoFn):
    """Shard -> counts; writes its scores."""

    def __init__(self, model: str) -> None:
        self._model = model

    def setup(self) -> None:
        self._scorer = Scorer(Path(self._model))

    def process(self, shard: Shard) -> Iterator[ScoreCounts]:
        yield self._scorer.score_shard(shard)


def score_shards(model: Path, shards: list[Shard], output: Path, beam_args: list[str]) -> ScoreCounts:
    """Scores shards.

    Args:
      model: Folder of the exported model.
      shards: What to score.
      output: Folder of the scores.
      beam_args: Beam options.

    Raises:
      DataError: If the model or a shard is damaged.
    """
    output.mkdir(parents=True, exist_ok=True)
    with beam.Pipeline(options=PipelineOptions(beam_args)) as pipeline:
        _ = (
            pipeline
            | "Shards" >> beam.Create(shards)  # which also spreads them over the workers
            | "Score" >> beam.ParDo(_ScoreShard(str(model)))
            | "Sum" >> beam.CombineGlobally(ScoreCounts.total)
            | "WriteCounts" >> beam.Map(_write_json, str(output / _COUNTS_FILE))
        )
    return ScoreCounts(**json.loads((output / _COUNTS_FILE).read_text(encoding="utf-8")))


class _BuildInputs(beam.DoFn):
    """(shard, parcels) -> the shard's file of inputs, one example for each user, and how many."""

    def __init__(self, plan: Plan, at_s: int) -> None:
        self._plan, self._at_s = plan, at_s

    def setup(self) -> None:
        mapping = SourceMapping.model_validate_json(self._plan.mapping)
        self._settings = ExampleSettings.model_validate_json(self._plan.settings)
        self._items = load_items(mapping, self._plan.input_root, Selection.parse(self._plan.partitions))
        self._encoder = ExampleEncoder()

    def process(self, element: tuple[int, Iterable[Parcel]], read: IngestSummary) -> Iterator[int]:
        shard, parcels = element
        tables = [pa.Table.from_batches([parcel.open()]) for parcel in parcels]
        events = pa.concat_tables(tables, promote_options="permissive")
        if self._items:
            events = self._items.join(events)
        at_s = (read.last_event_s or 0) + 1 if self._at_s == LAST_EVENT else self._at_s
        path = Path(self._plan.examples) / f"data-{shard:05d}-of-{self._plan.shards:05d}.gz"
        with replacing(path) as temporary:
            yield write_tfrecords(temporary, self._encoder.encode(build_features(events, at_s, self._settings)))


def build_inputs(plan: Plan, at_s: int, beam_args: list[str]) -> list[Path]:
    """Makes the inputs of all users of a log as they stand at one moment, unless that was done.

    Args:
      plan: What to read; `examples` receives the files, `rejects` the rows set aside.
      at_s: The moment, Unix seconds UTC, or `LAST_EVENT`.
      beam_args: Beam options.

    Returns:
      The files.

    Raises:
      DataError: If files are missing, or no user has an event before the moment.
    """
    mapping, folder = SourceMapping.model_validate_json(plan.mapping), Path(plan.examples)
    selection = Selection.parse(plan.partitions)
    about = {
        "log": fingerprint(mapping, plan.input_root, selection),
        "plan": [plan.mapping, plan.settings, plan.shards, plan.pseudonymiser().key_id],
        "erased": plan.erasure_list and Path(plan.erasure_list).read_text(encoding="utf-8"),
        "at_s": at_s,
    }
    done, text = folder / _DONE_FILE, json.dumps(about)
    if not (done.exists() and done.read_text(encoding="utf-8") == text):
        done.unlink(missing_ok=True)
        for old in folder.glob("data-*.gz"):
            old.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        with _spill(plan), beam.Pipeline(options=PipelineOptions(beam_args)) as pipeline:
            parcels, summary = read_parcels(pipeline, plan, plan_pieces(mapping, plan.input_root, selection))
            _ = parcels | "Build" >> beam.ParDo(_BuildInputs(plan, at_s), AsSingleton(summary))
        done.write_text(text, encoding="utf-8")
    files = sorted(folder.glob("data-*.gz"))
    if not files:
        raise DataError(f"expected events in {plan.input_root}, found none")
    return files


@contextmanager
def _spill(plan: Plan) -> Iterator[None]:
    """Keeps the folder in which events wait for their shard, if there is one."""
    if plan.spill:
        Path(plan.spill).mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        if plan.spill:
            shutil.rmtree(plan.spill, ignore_errors=True)


def _write_json(counts: ScoreCounts, path: str) -> None:
    with replacing(Path(path)) as temporary:
        temporary.write_text(json.dumps(counts.to_json()), encoding="utf-8")
