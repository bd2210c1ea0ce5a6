"""Rows that are set aside: why, and how they are collected without touching good rows."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.events import REJECT_SCHEMA

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


class Reason(StrEnum):
    """Every reason of this package for setting a row aside, in the order in which they are tried."""

    BROKEN_ROW = "broken_row"  # wrong number of CSV columns, or a line that is not a JSON object
    UNDECODABLE_TEXT = "undecodable_text"  # bytes that the file's encoding does not have
    FILTERED_OUT = "filtered_out"  # a filter of the mapping
    MISSING_USER = "missing_user"
    ERASED_USER = "erased_user"  # on the erasure list
    MISSING_TIME = "missing_time"
    BAD_TIME = "bad_time"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    AFTER_ITS_SPAN = "after_its_span"  # ahead of the day of its partition
    TOO_LATE = "too_late"  # longer before that day than `max_late_days`
    MISSING_ACTION = "missing_action"
    IGNORED_ACTION = "ignored_action"  # `ignore` of the mapping
    UNKNOWN_ACTION = "unknown_action"
    BAD_NUMBER = "bad_number"  # not a finite number, or a negative price
    QUANTITY_NOT_POSITIVE = "quantity_not_positive"  # a return, a correction, or nothing at all
    NUMBER_OUT_OF_RANGE = "number_out_of_range"  # a price or quantity above `at_most`


class Verdict:
    """The first reason against each row of a batch, if there is one.

    Example:
      >>> verdict = Verdict(3)
      >>> verdict.reject(np.array([False, True, True]), Reason.BAD_TIME, "ts: expected unix_s")
      >>> verdict.kept
      array([ True, False, False])
    """

    def __init__(self, size: int) -> None:
        self._codes = np.zeros(size, np.int32)  # 0: good, else 1 + position in self._found
        self._found: list[tuple[str, str]] = []

    def reject(self, mask: Mask, reason: str, detail: str) -> None:
        """Sets aside the rows of `mask` that are still good, for a `Reason` or for that of a filter of the mapping.

        `detail` must not hold values of the row.
        """
        if mask.any():
            self._found.append((reason, detail))
            self._codes[mask & (self._codes == 0)] = len(self._found)

    @property
    def kept(self) -> Mask:
        """`[N]`, the rows that are still good."""
        return self._codes == 0

    def rejects(self, rows: Rows, piece_index: int) -> pa.RecordBatch:
        """Returns the rows set aside; `rows` `[N]` are the batch's positions."""
        places = np.flatnonzero(self._codes)
        found = self._codes[places] - 1
        reasons = pa.array([str(reason) for reason, _ in self._found], pa.string())
        details = pa.array([detail for _, detail in self._found], pa.string())
        return reject_batch(rows[places], piece_index, reasons.take(pa.array(found)), details.take(pa.array(found)))


def reject_batch(rows: Rows, piece_index: int, reasons: pa.Array, details: pa.Array) -> pa.RecordBatch:
    """Returns a batch of `REJECT_SCHEMA`."""
    pieces = pa.array(np.full(len(rows), piece_index, np.int32))
    return pa.RecordBatch.from_arrays([pieces, pa.array(rows, pa.int64()), reasons, details], schema=REJECT_SCHEMA)
