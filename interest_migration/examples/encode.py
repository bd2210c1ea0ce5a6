"""Examples to serialized `tf.Example`s, by the C++ coder of tfx_bsl."""

from typing import Any

import pyarrow as pa


class ExampleEncoder:
    """Encodes batches of examples. Build one where it is used: it cannot be pickled with its coder.

    Null lists become features without a value, which every parser reads as missing. The order of features within a
    serialized example varies from call to call: compare parsed examples, never their bytes.
    """

    def __init__(self) -> None:
        # Imported here so that everything else in this package runs on NumPy and Arrow alone.
        from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

        self._coder: Any = RecordBatchToExamplesEncoder()

    def encode(self, batch: pa.RecordBatch) -> list[bytes]:
        """Returns one serialized `tf.Example` for each row.

        Args:
          batch: Columns `large_list<int64 | float32 | large_binary>`, as `build_examples` and `build_features` make.
        """
        return self._coder.encode(batch)
