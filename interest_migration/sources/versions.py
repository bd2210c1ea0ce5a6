"""Rows of a table that hold from some time on: which of them held when."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from interest_migration.sources.distinct import null_where

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Versions:
    """R rows of K keys, sorted by key and time.

    Attributes:
      key: `[R]` position of the row's key, ascending.
      from_s: `[R]` Unix seconds from which the row holds, ascending within a key.
    """

    key: IntArray
    from_s: IntArray

    def rows_at(self, keys: pa.Array, times_s: IntArray) -> pa.Array:
        """Finds the row of each key that held at a time: the newest at or before it, or else the key's first.

        Args:
          keys: `[N]` positions of keys, null where there is none.
          times_s: `[N]` Unix seconds.

        Returns:
          `[N]` rows, null where the key is.

        Example:
          key [0, 0, 1], from_s [10, 20, 30]; keys [0, 0, 0, 1, null] at [5, 19, 20, 40, 1] -> [0, 0, 1, 2, null].
        """
        wanted = keys.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        first_s = self.from_s[np.searchsorted(self.key, wanted, side="left")]
        earliest, latest = self.from_s.min(), self.from_s.max()
        span = latest - earliest + 1
        rank = self.key * span + (self.from_s - earliest)
        at = wanted * span + (np.clip(times_s, first_s, latest) - earliest)
        return null_where(pa.array(np.searchsorted(rank, at, side="right") - 1), keys.is_null())


def sort_versions(key: IntArray, from_s: IntArray) -> tuple[IntArray, Versions]:
    """Sorts rows by key and time; of rows of one key and second the last one wins.

    Returns:
      `[R]` the order, and the versions in that order.
    """
    order = np.lexsort([from_s, key])
    return order, Versions(key[order], from_s[order])
