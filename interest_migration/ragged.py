"""Rows of different lengths as two flat arrays, and example files read into them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from interest_migration.errors import ContractError, DataError
from schemas.features import AGGREGATE_WIDTH, WINDOW_DAYS, FeatureSpec, Shape

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Ragged:
    """Rows of varying length.

    Attributes:
      values: `[V]`, all rows one after the other.
      offsets: `[N + 1]` int64; row i is `values[offsets[i]:offsets[i + 1]]`.

    Example:
      [[1, 2], [], [3]] -> values [1, 2, 3], offsets [0, 2, 2, 3].
    """

    values: Array
    offsets: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.values):
            raise ContractError(
                f"expected offsets from 0 to {len(self.values)}, received {self.offsets[0]} to {self.offsets[-1]}"
            )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> Array:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """`[N]` int64."""
        return np.diff(self.offsets)

    @property
    def row_ids(self) -> npt.NDArray[np.int64]:
        """`[V]` int64, the row each value belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)


Examples = Mapping[str, Array | Ragged]
"""Feature name -> `[N]` scalar, `[N, width]` fixed-width or `Ragged` columns of the same N examples."""


def read_examples(paths: Sequence[str], specs: Sequence[FeatureSpec], batch_size: int = 1024) -> Examples:
    """Reads TFRecord files (gzip) of `tf.Example`s into columns; absent scalars become -1 or an empty string.

    Raises:
      DataError: If there is no file or no example.
    """
    import tensorflow as tf

    if not paths:
        raise DataError("expected example files, received none")
    kinds = {"string": tf.string, "int64": tf.int64, "float32": tf.float32}
    parsers = {spec.name: _parser(tf, spec, kinds[spec.dtype]) for spec in specs}
    dataset = tf.data.TFRecordDataset(sorted(paths), compression_type="GZIP").batch(batch_size)
    batches = [tf.io.parse_example(batch, parsers) for batch in dataset]
    if not batches:
        raise DataError(f"expected at least one example in {', '.join(sorted(paths))}, received none")
    return {name: _concatenate([batch[name] for batch in batches]) for name in parsers}


def _parser(tf: Any, spec: FeatureSpec, dtype: Any) -> Any:
    if spec.shape is Shape.SCALAR:
        return tf.io.FixedLenFeature([], dtype, default_value="" if spec.dtype == "string" else -1)
    if spec.shape is Shape.WINDOWS:
        return tf.io.FixedLenFeature([len(WINDOW_DAYS)], dtype)
    if spec.shape is Shape.AGGREGATES:
        return tf.io.FixedLenFeature([AGGREGATE_WIDTH], dtype)
    return tf.io.RaggedFeature(dtype, row_splits_dtype=tf.int64)


def _concatenate(parts: list[Any]) -> Array | Ragged:
    if not hasattr(parts[0], "row_splits"):
        return np.concatenate([part.numpy() for part in parts])
    lengths = np.concatenate([part.row_lengths().numpy() for part in parts])
    return Ragged(np.concatenate([part.values.numpy() for part in parts]), np.concatenate([[0], np.cumsum(lengths)]))
