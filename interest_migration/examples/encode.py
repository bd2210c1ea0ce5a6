"""Examples to serialized `tf.Example`s, by the C++ coder of tfx_bsl."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from interest_migration.ragged import Array, Examples, Ragged
from interest_migration.storage.tfrecords import write_tfrecords

_ROWS: Final = 256  # encoded at once: some megabytes, so that memory is used again instead of asked for anew


class ExampleEncoder:
    """Encodes batches of examples. Build one where it is used: it cannot be pickled with its coder.

    Null lists become features without a value, which every parser reads as missing. The order of features within a
    serialized example varies from call to call: compare parsed examples, never their bytes.
    """

    def __init__(self) -> None:
        # Imported here so that everything else in this package runs on NumPy and Arrow alone.
        from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

        self._coder: Any = RecordBatchToExamplesEncoder()

    def encode(self, batch: pa.RecordBatch) -> Iterator[bytes]:
        """Yields one serialized `tf.Example` for each row.

        Args:
          batch: Columns `large_list<int64 | float32 | large_binary>`, as `build_examples` and `build_features` make.
        """
        for start in range(0, batch.num_rows, _ROWS):
            yield from self._coder.encode(batch.slice(start, _ROWS))


def write_examples(examples: Examples, path: Path) -> None:
    """Writes columns of examples to a gzip TFRecord file that `read_examples` reads."""
    columns = {name: _to_arrow(column) for name, column in examples.items()}
    write_tfrecords(path, ExampleEncoder().encode(pa.RecordBatch.from_pydict(columns)))


def _to_arrow(column: Array | Ragged) -> pa.LargeListArray:
    if not isinstance(column, Ragged):
        column = Ragged(column.ravel(), np.arange(len(column) + 1) * (column.size // max(len(column), 1)))
    values = pa.array(column.values)
    if column.values.dtype.kind in "SO":
        values = values.cast(pa.large_binary())
    return pa.LargeListArray.from_arrays(pa.array(column.offsets.astype(np.int64)), values)
