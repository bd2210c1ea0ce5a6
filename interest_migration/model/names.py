"""From ids back to names, and from names to ids."""

from typing import Any

import tensorflow as tf


class Names(tf.Module):
    """The values of a vocabulary by id.

    Args:
      path: Text file with one value per line, line 0 for id 1; it becomes an asset of the exported model.

    Example:
      lines tea, milk; ids [2, 0, 3] -> ["milk", "", ""]: 0 and ids beyond the vocabulary have no name.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        lines = tf.lookup.TextFileInitializer(
            path, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE
        )
        self.table = tf.lookup.StaticHashTable(lines, "")

    def __call__(self, ids: Any) -> tf.Tensor:
        """Returns strings in the shape of `ids`."""
        return self.table.lookup(tf.cast(ids, tf.int64) - 1)


class Ids(tf.Module):
    """The ids of a vocabulary's values.

    Args:
      path: Text file as of `Names`.

    Example:
      lines tea, milk; values ["milk", "", "gin"] -> [2, 0, 0].
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        lines = tf.lookup.TextFileInitializer(
            path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
        )
        self.table = tf.lookup.StaticHashTable(lines, -1)

    def __call__(self, values: Any) -> tf.Tensor:
        """Returns int64 ids in the shape of `values`; 0 for those that are not in the vocabulary."""
        return self.table.lookup(values) + 1
