"""Index arithmetic over many ranges at once, in place of a loop over users or examples."""

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
AnyIntArray = npt.NDArray[np.int64] | npt.NDArray[np.int32]


def expand_ranges(starts: IntArray, lengths: IntArray) -> IntArray:
    """Returns the indices of many ranges, one after the other.

    Example:
      starts [5, 0], lengths [3, 2] -> [5, 6, 7, 0, 1].
    """
    ends = np.cumsum(lengths)
    shifts = starts - (ends - lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(shifts, lengths)


def offsets_of(groups: AnyIntArray, count: int) -> IntArray:
    """Returns where each group begins, and the end.

    Args:
      groups: `[N]` group of each row, ascending.
      count: Number of groups G; some may be empty.

    Returns:
      `[G + 1]` int64.

    Example:
      groups [0, 0, 2], count 3 -> [0, 2, 2, 3].
    """
    return np.searchsorted(groups, np.arange(count + 1)).astype(np.int64)


def run_starts(keys: AnyIntArray) -> IntArray:
    """Returns the indices at which a run of equal keys begins: [4, 4, 7] -> [0, 2]."""
    if not len(keys):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))


class GroupedTimes:
    """Times that ascend within each of many groups, searchable for all groups in one call.

    Group and time are packed into one ascending int64 key per row.

    Example:
      groups [0, 0, 1], times [10, 20, 15]: `first_from([0, 0, 1], [20, 21, 0])` -> [1, 2, 2].
    """

    def __init__(self, groups: IntArray, times_s: IntArray) -> None:
        """Takes `[N]` groups, ascending, and `[N]` times, ascending within each group."""
        self._origin = int(times_s.min()) if len(times_s) else 0
        latest = int(times_s.max()) if len(times_s) else 0
        self._span = latest - self._origin + 2
        self.groups, self.times_s = groups, times_s
        self.keys = groups.astype(np.int64) * self._span + (times_s - self._origin)

    def first_from(self, groups: IntArray, times_s: IntArray) -> IntArray:
        """Returns the index of each group's first row at or after a time, or the group's end.

        Args:
          groups: Groups to look in, any shape.
          times_s: Times, a shape that broadcasts with `groups`.
        """
        shifted = np.clip(times_s - self._origin, 0, self._span - 1)
        return np.searchsorted(self.keys, groups * self._span + shifted).astype(np.int64)
