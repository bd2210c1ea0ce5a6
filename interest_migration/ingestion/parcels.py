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
    """Events of one shard, as an Arrow IPC stream of one batch.

    Attributes:
      payload: The stream; empty if spilled.
      path: Spill file; empty if the payload is inside.
      start: Where in the spill file the stream begins.
      size: Its length in bytes.
    """

    payload: bytes = b""
    path: str = ""
    start: int = 0
    size: int = 0

    def open(self) -> pa.RecordBatch:
        """Returns the events; those of a spill file are memory-mapped."""
        stream = self.payload
        if self.path:
            with pa.memory_map(self.path) as file:
                file.seek(self.start)
                stream = file.read_buffer(self.size)
        return pa.ipc.open_stream(stream).read_next_batch()


def pack(parts: Iterable[tuple[int, pa.RecordBatch]]) -> Iterator[tuple[int, Parcel]]:
    """Packs each shard's events into the message itself."""
    for shard, events in parts:
        yield shard, Parcel(payload=_serialise(events).to_pybytes())


def spill(parts: Iterable[tuple[int, pa.RecordBatch]], path: Path) -> Iterator[tuple[int, Parcel]]:
    """Writes the events of all shards into one file, which is there whole before the first parcel leaves."""
    places = []
    with replacing(path) as temporary, temporary.open("wb") as file:
        for shard, events in parts:
            start, stream = file.tell(), _serialise(events)
            file.write(stream)
            places.append((shard, start, stream.size))
    for shard, start, size in places:
        yield shard, Parcel(path=str(path), start=start, size=size)


def _serialise(events: pa.RecordBatch) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, events.schema) as writer:
        writer.write_batch(events)
    return sink.getvalue()
