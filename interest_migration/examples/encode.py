"""Examples to serialized `tf.Example`s, by the C++ coder of tfx_bsl."""

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

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
