"""Whether every row of a piece came out of it, once."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from interest_migration.errors import DataError
from interest_migration.sources.files import Piece


class PieceBalance:
    """Counts a piece's rows and remembers the first and last position.

    The readers number rows where they find them, good and broken ones apart; events and rejects are counted here. If
    one is lost or doubled on the way, count and positions no longer fit.

    Args:
      piece: The piece.
      rows: How many rows it has, if that is known.

    Example:
      Positions 0, 1 and 3: three rows, but the last is the fourth -> DataError.
    """

    def __init__(self, piece: Piece, rows: int | None = None) -> None:
        self._piece, self._expected = piece, rows
        self._first = self._after = piece.part.first_row
        self._rows = 0

    def add(self, *batches: pa.RecordBatch) -> None:
        """Counts rows, which have a column `source_row`."""
        for batch in batches:
            self._rows += batch.num_rows
            bounds = pc.min_max(batch["source_row"]).as_py()
            if batch.num_rows:
                self._first = min(self._first, bounds["min"])
                self._after = max(self._after, bounds["max"] + 1)

    def check(self) -> None:
        """Checks the balance at the end of the piece.

        Raises:
          DataError: Naming the file.
        """
        part = self._piece.part
        expected = self._after - part.first_row if self._expected is None else self._expected
        if self._piece.format == "parquet":
            metadata = pq.read_metadata(self._piece.path)
            groups = range(part.start, metadata.num_row_groups if part.stop is None else part.stop)
            expected = sum(metadata.row_group(group).num_rows for group in groups)
        if self._first < part.first_row or self._rows != expected:
            raise DataError(
                f"{self._piece.path}: rows do not balance: expected {expected} from position {part.first_row} on, "
                f"received {self._rows} with positions {self._first} to {self._after - 1}"
            )
