"""When the events of one partition may have happened."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interest_migration.sources.rejects import Reason, Verdict

Seconds = npt.NDArray[np.int64]
_DAY_S = 86_400


@dataclass(frozen=True)
class PartitionTimes:
    """Bounds of a partition, Unix seconds.

    Attributes:
      start_s: Start of its day; None for files outside of partitions.
      last_s: Last second that is not ahead of it, the tolerance included.
      late_s: Largest delay that is still used; None uses all.

    Example:
      A day from 1000 to 2000, tolerance 100, delay up to 500: PartitionTimes(1000, 2099, 500). Events at 400, 700, 1500
      and 2100 are set aside as too late, used and late, used, and set aside as ahead.
    """

    start_s: int | None
    last_s: int
    late_s: int | None

    def judge(self, times_s: Seconds, column: str, verdict: Verdict) -> None:
        """Sets aside what is ahead of its partition or too late; `times_s` `[N]`, `column` only for the detail."""
        verdict.reject(
            times_s > self.last_s, Reason.AFTER_ITS_SPAN, f"{column}: after the day of its partition and the tolerance"
        )
        if self.start_s is not None and self.late_s is not None:
            detail = f"{column}: more than {self.late_s / _DAY_S:g} days before the day of its partition"
            verdict.reject(self.start_s - times_s > self.late_s, Reason.TOO_LATE, detail)

    def count_late(self, times_s: Seconds) -> tuple[int, int]:
        """Returns how many events are older than their partition, and the largest delay in seconds.

        Example:
          Start 1000, times 400, 990, 1500 -> (2, 600).
        """
        if self.start_s is None or not len(times_s):
            return 0, 0
        late = int((times_s < self.start_s).sum())
        return late, max(0, self.start_s - int(times_s.min()))
