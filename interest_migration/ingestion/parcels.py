"""Parcels: the events of one shard that one worker read, on their way to the worker that builds the shard.

Two ways: inside the message (any Beam runner), or in a spill file on a disk that all workers share (one machine), so
that memory holds one shard at a time whatever the size of the log.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from interest_migration.storage.atomic import replacing


@dataclass(frozen=True)
class Parcel:
    """Events of one shard.

    Attributes:
      payload: An Arrow IPC stream of one batch; empty if spilled.
      path: Spill file; empty if the payload is inside.
      index: Which batch of the spill file.
    """

    payload: bytes = b""
    path: str = ""
    index: int = 0

    def open(self) -> pa.RecordBatch:
        """Returns the events; those of a spill file are memory-mapped."""
        if not self.path:
            return pa.ipc.open_stream(self.payload).read_next_batch()
        return pa.ipc.open_file(pa.memory_map(self.path)).get_batch(self.index)


def pack(parts: Iterable[tuple[int, pa.RecordBatch]]) -> Iterator[tuple[int, Parcel]]:
    """Packs each shard's events into the message itself."""
    for shard, events in parts:
        compact = _without_large_dictionaries(events)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, compact.schema) as writer:
            writer.write_batch(compact)
        yield shard, Parcel(payload=sink.getvalue().to_pybytes())


def spill(parts: Iterable[tuple[int, pa.RecordBatch]], path: Path) -> Iterator[tuple[int, Parcel]]:
    """Writes the events of all shards, which share one schema and its dictionaries, into one file."""
    parts = list(parts)
    if not parts:
        return
    with (
        replacing(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, parts[0][1].schema) as writer,
    ):
        for _, events in parts:
            writer.write_batch(events)
    for index, (shard, _) in enumerate(parts):
        yield shard, Parcel(path=str(path), index=index)


def _without_large_dictionaries(events: pa.RecordBatch) -> pa.RecordBatch:
    """A slice keeps the dictionary of the whole: written 16 times over, it can outweigh the rows."""
    columns = [
        column.cast(column.type.value_type)
        if pa.types.is_dictionary(column.type) and len(column.dictionary) > len(column)
        else column
        for column in events.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=events.schema.names)
