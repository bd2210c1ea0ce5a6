"""Batches of transformed examples.

Small sets of examples are read once into flat arrays, from which batches are gathered; others are streamed from their
files in every epoch. The same seed gives the same order within either of the two ways, not across them.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.errors import DataError
from interest_migration.model.inputs import TRAINING_SPECS, FixedLengths, pad, parsers
from interest_migration.ragged import Array, Ragged
from interest_migration.training.buckets import bucket_rows
from interest_migration.training.held_out import EVERYBODY, UserRange
from interest_migration.training.settings import TrainingSettings
from schemas.features import STEP_INDEX

SPECS = TRAINING_SPECS
_NAMES = {spec.name for spec in SPECS}
_READ_BATCH = 1024


class ExampleSource:
    """Transformed examples on disk, in memory if they are small.

    Args:
      paths: Gzip TFRecord files; they are read in sorted order.
      settings: Training settings.
      users: Whose examples are read.

    Raises:
      DataError: If there is no file or no example.
    """

    def __init__(self, paths: Sequence[str], settings: TrainingSettings, users: UserRange = EVERYBODY) -> None:
        if not paths:
            raise DataError("expected files of transformed examples, received none")
        self.paths, self.settings, self.users = sorted(paths), settings, users
        size = sum(tf.io.gfile.stat(path).length for path in self.paths)
        self._columns = _read(self.paths, users) if size <= settings.memory_megabytes * 1_000_000 else None
        self._rows: npt.NDArray[np.int64] | None = None
        self._replaced: dict[str, Any] = {}
        self.count = self._count()
        if not self.count:
            raise DataError(f"expected at least one example in {', '.join(self.paths)}, received none")

    def _count(self) -> int:
        if self._columns is not None:
            return int(self._columns[SPECS[0].name].shape[0])
        return sum(1 for _ in _records(self.paths, self.users))

    def select(self, chosen: npt.NDArray[np.bool_]) -> "ExampleSource":
        """Returns those of all N examples that are chosen, `[N]`; the files are not read again.

        Raises:
          DataError: If none is.
        """
        view = copy.copy(self)
        view._rows = np.flatnonzero(chosen)
        view.count = len(view._rows)
        if not view.count:
            raise DataError(f"expected at least one chosen example in {', '.join(self.paths)}, received none")
        return view

    def with_columns(self, columns: Mapping[str, Array | Ragged]) -> "ExampleSource":
        """Returns the examples with other integer columns, of all N examples, in place of theirs or beside them."""
        view = copy.copy(self)
        view._replaced = self._replaced | {name: _to_tensor(column) for name, column in columns.items()}
        return view

    def batches(
        self, epoch_seed: int | None = None, batch_size: int | None = None, most: int | None = None
    ) -> tf.data.Dataset:
        """Returns one pass over the examples in batches of padded features.

        Args:
          epoch_seed: Seed of the order; None keeps the order of the files.
          batch_size: By default that of the settings.
          most: Without a seed, at most so many examples, evenly spread; by default all.

        Returns:
          Dataset of feature name -> `[B]`, `[B, W]` or `[B, N]`, inputs and labels.
        """
        size = min(batch_size or self.settings.batch_size, self.count)
        training = epoch_seed is not None
        every = -(-self.count // (most or self.count))
        read = self._in_memory if self._columns is not None else self._streamed
        source = read(epoch_seed, size, every)
        return source.map(self._pad if not (training and self.settings.static_shapes) else self._pad_fixed).prefetch(2)

    def steps(self) -> int:
        """Number of training batches of one pass (with buckets, of about every pass)."""
        size = min(self.settings.batch_size, self.count)
        return int(self._buckets(0, size).nrows()) if self._bucketed else self.count // size

    @property
    def _bucketed(self) -> bool:
        chosen = self.settings
        one_replica = chosen.strategy in ("default", "one_device")  # several split a batch of one fixed size
        return self._columns is not None and chosen.bucket_by_length and one_replica and not chosen.static_shapes

    def _buckets(self, seed: int, size: int) -> tf.RaggedTensor:
        lengths, rows = (self._columns or {})[STEP_INDEX].row_lengths().numpy(), self._rows
        batches = bucket_rows(lengths if rows is None else lengths[rows], size, seed)
        found = np.concatenate(batches)
        return tf.RaggedTensor.from_row_lengths(
            found if rows is None else rows[found], [len(places) for places in batches]
        )

    def _in_memory(self, seed: int | None, size: int, every: int) -> tf.data.Dataset:
        rows = self._rows
        order = tf.data.Dataset.range(self.count) if rows is None else tf.data.Dataset.from_tensor_slices(rows)
        if seed is not None and self._bucketed:
            order = tf.data.Dataset.from_tensor_slices(self._buckets(seed, size))
        elif seed is not None:
            order = order.shuffle(self.count, seed=seed, reshuffle_each_iteration=False).batch(
                size, drop_remainder=True
            )
        else:
            order = order.shard(every, 0).batch(size)
        columns = {**(self._columns or {}), **self._replaced}
        return order.map(
            lambda rows: {name: tf.gather(column, rows) for name, column in columns.items()},
            num_parallel_calls=2,
            deterministic=True,
        )

    def _streamed(self, seed: int | None, size: int, every: int) -> tf.data.Dataset:
        records = _records(self.paths, self.users).enumerate()
        if self._rows is not None:
            rows = tf.constant(self._rows)
            records = records.filter(lambda row, _: _holds(rows, row))
        records = records.shard(every, 0)
        if seed is not None:
            records = records.shuffle(self.settings.shuffle_examples, seed=seed, reshuffle_each_iteration=False)
        batches = records.batch(size, drop_remainder=seed is not None)
        return batches.map(self._parse, num_parallel_calls=2, deterministic=True)

    def _parse(self, rows: Any, records: Any) -> dict[str, Any]:
        replaced = {name: tf.gather(column, rows) for name, column in self._replaced.items()}
        return tf.io.parse_example(records, parsers(SPECS)) | replaced

    def _pad(self, batch: Any) -> dict[str, tf.Tensor]:
        return pad(batch, SPECS) | self._added(batch)

    def _pad_fixed(self, batch: Any) -> dict[str, tf.Tensor]:
        settings = self.settings
        lengths = FixedLengths(settings.max_events, settings.max_interests, settings.max_labels)
        return pad(batch, SPECS, lengths) | self._added(batch)

    def _added(self, batch: Any) -> dict[str, tf.Tensor]:
        """Returns the columns beside those of the files."""
        return {name: batch[name] for name in self._replaced if name not in _NAMES}


def _records(paths: Iterable[str], users: UserRange) -> tf.data.Dataset:
    records = tf.data.TFRecordDataset(list(paths), compression_type="GZIP", buffer_size=1 << 20)
    if users == EVERYBODY:
        return records
    batches = records.batch(_READ_BATCH).map(lambda batch: tf.boolean_mask(batch, users.select(batch)))
    return batches.unbatch()


def _read(paths: Sequence[str], users: UserRange) -> dict[str, Any]:
    """Parses all examples once; int64 is kept as int32."""
    records = _records(paths, users).batch(_READ_BATCH)
    batches = list(records.map(lambda batch: _narrow(tf.io.parse_example(batch, parsers(SPECS)))))
    if not batches:
        return {SPECS[0].name: tf.zeros([0])}
    return {spec.name: tf.concat([batch[spec.name] for batch in batches], axis=0) for spec in SPECS}


def _narrow(batch: Any) -> dict[str, Any]:
    return {name: tf.cast(value, tf.int32) if value.dtype == tf.int64 else value for name, value in batch.items()}


def _to_tensor(column: Array | Ragged) -> Any:
    if isinstance(column, Ragged):
        return tf.RaggedTensor.from_row_splits(column.values.astype(np.int32), column.offsets)
    return tf.constant(column.astype(np.int32))


def _holds(rows: tf.Tensor, row: tf.Tensor) -> tf.Tensor:
    """Whether a row is among ascending ones."""
    place = tf.minimum(tf.searchsorted(rows, row[tf.newaxis], out_type=tf.int64)[0], tf.size(rows, tf.int64) - 1)
    return rows[place] == row
