"""Scores of whole shards of examples by the signature that clients ask, as Parquet.

    data-00003-of-00008.gz  ->  data-00003-of-00008.parquet           user, cut_time_s, what `serving_default` returns
                                rejects/data-00003-of-00008.parquet   examples that it cannot read, each with a reason

A file appears whole. It names its model and the digest of its source, so that a shard is scored again only if one of
them has changed.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from interest_migration.errors import DataError
from interest_migration.serving.facts import read_facts
from interest_migration.serving.model_directory import check_model_directory
from interest_migration.storage.atomic import replacing
from schemas.features import CUT_TIME, USER
from schemas.signatures import EXAMPLES, SERVE

REJECTS: Final = "rejects"
"""Folder of dead letters, beside the scores."""
REJECTED_EXAMPLE_SCHEMA: Final = pa.schema(
    [("source_file", pa.string()), ("record", pa.int64()), ("reason", pa.string())]
)
"""An example that was set aside: its file, its place in it from 0, and why."""

BATCH: Final = 256
_MODEL, _SOURCE = b"model_id", b"source_sha256"

Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Shard:
    """A gzip TFRecord file of raw examples, and the names of what comes of it."""

    source: str
    target: str
    rejects: str


@dataclass(frozen=True)
class ScoreCounts:
    """Counts of a scoring; two of them add up.

    Attributes:
      shards: Shards scored.
      skipped: Shards that had been scored before.
      examples: Examples with scores, those of skipped shards included.
      rejected: Examples set aside, those of skipped shards included.
    """

    shards: int = 0
    skipped: int = 0
    examples: int = 0
    rejected: int = 0

    @classmethod
    def total(cls, parts: Iterable["ScoreCounts"]) -> Self:
        """Adds counts up."""
        parts = list(parts)
        return cls(**{name: sum(asdict(part)[name] for part in parts) for name in asdict(cls())})

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return asdict(self)


def plan_shards(sources: Iterable[Path], output: Path) -> list[Shard]:
    """Names what comes of every file.

    Args:
      sources: Gzip TFRecord files, such as `.../Split-test/data-00000-of-00008.gz`.
      output: Folder of the scores; files of several folders keep the name of theirs.

    Raises:
      DataError: If there is no file, or two would have the same name.
    """
    files = sorted(path for path in sources if path.is_file())
    if not files:
        raise DataError("expected gzip TFRecord files of raw examples, found none; check --examples")
    several = len({file.parent for file in files}) > 1
    names = [Path(file.parent.name if several else "") / f"{file.name.split('.')[0]}.parquet" for file in files]
    if len(set(names)) < len(names):
        raise DataError("expected files with different names, received two folders with the same one")
    return [
        Shard(str(file), str(output / name), str(output / REJECTS / name))
        for file, name in zip(files, names, strict=True)
    ]


class Scorer:
    """A model that scores shards.

    Args:
      model: Folder of the exported model.

    Raises:
      ModelFilesError: If it is no whole model.
    """

    def __init__(self, model: Path) -> None:
        check_model_directory(model)
        self._path, self._facts = model, read_facts(model)

    @cached_property
    def _loaded(self) -> Any:
        """Loaded by the first shard that is not done."""
        import tensorflow as tf

        return tf.saved_model.load(str(self._path))

    def score_shard(self, shard: Shard) -> ScoreCounts:
        """Scores a shard, unless that was done.

        Raises:
          DataError: If the file is damaged.
        """
        about = {_MODEL: self._facts.model_id.encode(), _SOURCE: _digest(Path(shard.source)).encode()}
        done = _read_done(shard, about)
        if done:
            return done
        rejected: list[tuple[int, str]] = []
        examples = 0
        with replacing(Path(shard.target)) as temporary:
            writer = None
            for table in self._tables(shard, rejected):
                writer = writer or pq.ParquetWriter(temporary, table.schema.with_metadata(about))
                writer.write_table(table.replace_schema_metadata(about))
                examples += table.num_rows
            if writer is None:
                pq.write_table(pa.table({USER: pa.array([], pa.string())}).replace_schema_metadata(about), temporary)
            else:
                writer.close()
            _write_rejects(shard, rejected)  # before the target, which says that all is done
        return ScoreCounts(shards=1, examples=examples, rejected=len(rejected))

    def _tables(self, shard: Shard, rejected: list[tuple[int, str]]) -> Iterator[pa.Table]:
        place = 0
        for records in _read_batches(shard.source):
            for columns in self._answers(records, place, rejected):
                yield _to_table(columns)
            place += len(records)

    def _answers(self, records: npt.NDArray[Any], place: int, rejected: list[tuple[int, str]]) -> Iterator[Columns]:
        """Halves a batch that holds an example that cannot be read, until that one is alone."""
        import tensorflow as tf

        try:
            yield self._answer(records)
        except (tf.errors.InvalidArgumentError, tf.errors.InternalError) as error:
            if len(records) == 1:
                text = str(error).splitlines()[0]
                rejected.append((place, text[:300]))
                return
            half = len(records) // 2
            yield from self._answers(records[:half], place, rejected)
            yield from self._answers(records[half:], place + half, rejected)

    def _answer(self, records: npt.NDArray[Any]) -> Columns:
        import tensorflow as tf

        keys = {USER: tf.io.FixedLenFeature([], tf.string, ""), CUT_TIME: tf.io.FixedLenFeature([], tf.int64, 0)}
        examples = tf.constant(records)
        found = tf.io.parse_example(examples, keys) | self._loaded.signatures[SERVE](**{EXAMPLES: examples})
        return {name: value.numpy() for name, value in found.items()}


def _read_batches(source: str) -> Iterator[npt.NDArray[Any]]:
    import tensorflow as tf

    try:
        yield from tf.data.TFRecordDataset(source, compression_type="GZIP").batch(BATCH).as_numpy_iterator()
    except tf.errors.OpError as error:
        cause = str(error).splitlines()[0][:200]
        raise DataError(f"expected a whole gzip TFRecord file {source}, received: {cause}") from error


def _to_table(columns: Columns) -> pa.Table:
    order = [USER, CUT_TIME, *sorted(columns.keys() - {USER, CUT_TIME})]
    return pa.table({name: _to_arrow(columns[name]) for name in order})


def _to_arrow(values: npt.NDArray[Any]) -> pa.Array:
    flat = pa.array(values.ravel())
    if pa.types.is_binary(flat.type):
        flat = flat.cast(pa.string())
    return flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _write_rejects(shard: Shard, rejected: list[tuple[int, str]]) -> None:
    if not rejected:
        Path(shard.rejects).unlink(missing_ok=True)
        return
    records, reasons = zip(*rejected, strict=True)
    columns = [[shard.source] * len(records), records, reasons]
    table = pa.table([pa.array(values) for values in columns], schema=REJECTED_EXAMPLE_SCHEMA)
    with replacing(Path(shard.rejects)) as temporary:
        pq.write_table(table, temporary)


def _read_done(shard: Shard, about: dict[bytes, bytes]) -> ScoreCounts | None:
    try:
        file = pq.read_metadata(shard.target)
    except (OSError, pa.ArrowInvalid):
        return None
    if {name: (file.metadata or {}).get(name) for name in about} != about:
        return None
    rejects = Path(shard.rejects)
    rejected = pq.read_metadata(rejects).num_rows if rejects.exists() else 0
    return ScoreCounts(skipped=1, examples=file.num_rows, rejected=rejected)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
