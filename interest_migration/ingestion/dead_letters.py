"""Rows that were set aside, as they are kept: one Parquet dataset, each row with a reason and a place to look at.

Values of a row are never kept: any of them could be, or hold, a user id.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from interest_migration.sources.files import Piece
from interest_migration.storage.atomic import replacing
from schemas.events import DEAD_LETTER_SCHEMA


@dataclass(frozen=True)
class Sources:
    """Where the rows of each piece are; P pieces.

    Attributes:
      streams: `[P]` names of streams.
      files: `[P]` files, relative to the input folder.
      rows: `[P]` number of rows, where the next piece of the file tells it.
    """

    streams: tuple[str, ...]
    files: tuple[str, ...]
    rows: tuple[int | None, ...]

    @classmethod
    def of(cls, pieces: Sequence[Piece], folder: str) -> "Sources":
        """Names the places of pieces that lie below a folder; of a file elsewhere only the name is kept."""
        paths = [PurePath(piece.path) for piece in pieces]
        files = [path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name for path in paths]
        rows = [
            after.part.first_row - piece.part.first_row if after and after.path == piece.path else None
            for piece, after in zip(pieces, [*pieces[1:], None], strict=True)
        ]
        return cls(tuple(piece.stream for piece in pieces), tuple(files), tuple(rows))

    def locate(self, rejects: pa.RecordBatch) -> pa.RecordBatch:
        """Turns rows of `REJECT_SCHEMA` into rows of `DEAD_LETTER_SCHEMA`."""
        used, places = np.unique(rejects["source_piece"].to_numpy(), return_inverse=True)
        names = [
            pa.array([values[piece] for piece in used.tolist()], pa.string()).take(pa.array(places))
            for values in (self.streams, self.files)
        ]
        return pa.RecordBatch.from_arrays([*names, *rejects.columns], schema=DEAD_LETTER_SCHEMA)


@contextmanager
def write_dead_letters(folder: Path, name: str, sources: Sources) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """Gives a function that adds rows of `REJECT_SCHEMA` to `<folder>/<name>.parquet`.

    The file appears whole, at the end, and only if there were rows; it replaces its predecessor.
    """
    with ExitStack() as stack:
        writers: list[pq.ParquetWriter] = []

        def add(rejects: pa.RecordBatch) -> None:
            if not rejects.num_rows:
                return
            if not writers:
                temporary = stack.enter_context(replacing(folder / f"{name}.parquet"))
                writers.append(stack.enter_context(pq.ParquetWriter(temporary, DEAD_LETTER_SCHEMA)))
            writers[0].write_batch(sources.locate(rejects))

        yield add


def ensure_dataset(folder: Path) -> None:
    """Writes an empty file where no row was set aside, so that a reader finds a dataset in any case."""
    if not any(folder.glob("*.parquet")):
        pq.write_table(DEAD_LETTER_SCHEMA.empty_table(), folder / "none.parquet")
