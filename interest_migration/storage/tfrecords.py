"""TFRecord files without TensorFlow.

One record is its length (uint64), the masked CRC-32C of those eight bytes, the data and the masked CRC-32C of the data,
all little-endian (tensorflow/core/lib/io/record_writer.h).
"""

import struct
from collections.abc import Iterable
from pathlib import Path

import google_crc32c
from isal import igzip

_LEVEL = 1  # of ISA-L: as small as zlib's level 1 in a fifth of the time


def write_tfrecords(path: Path, records: Iterable[bytes]) -> int:
    """Writes a gzip TFRecord file and returns the number of records.

    Example:
      write_tfrecords(Path("data.gz"), [b"a", b"bc"]) -> 2
    """
    count = 0
    with (
        path.open("wb") as raw,
        igzip.IGzipFile(filename="", fileobj=raw, mode="wb", compresslevel=_LEVEL, mtime=0) as file,
    ):
        for record in records:
            length = struct.pack("<Q", len(record))
            file.write(b"".join((length, _masked_crc(length), record, _masked_crc(record))))
            count += 1
    return count


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)
