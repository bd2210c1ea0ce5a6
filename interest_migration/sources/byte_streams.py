"""Text files as plain UTF-8 byte streams, whatever their compression and encoding."""

import codecs
import lzma
from pathlib import Path
from typing import Final, Protocol, cast

import pyarrow as pa

from interest_migration.errors import DataError
from interest_migration.sources.workbooks import WORKBOOK, is_workbook

MARK: Final = "\ufdd0"
"""Stands for what cannot be decoded: a code point that Unicode keeps out of texts."""

MAX_EXPANSION: Final = 500
"""Compressed files may hold this many times their own size; logs reach 5 to 50."""

FREE_BYTES: Final = 256 << 20
"""What any compressed file may hold."""

_ERRORS: Final = "interest_migration.mark"
codecs.register_error(_ERRORS, lambda error: (MARK, cast(UnicodeDecodeError, error).end))

_CODECS: Final = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}
COMPRESSION_SUFFIXES: Final = (*_CODECS, ".xz")

_SIGNATURES: Final = {
    b"PAR1": "a Parquet file; set `format: parquet`",
    b"\x1f\x8b": "gzip data; end the file's name in .gz",
    b"\x28\xb5\x2f\xfd": "Zstandard data; end the file's name in .zst",
    b"BZh91AY": "bzip2 data; end the file's name in .bz2",
    b"\xfd7zXZ": "xz data; end the file's name in .xz",
    b"PK\x03\x04": "a zip archive; unpack it",
    b"\xd0\xcf\x11\xe0": WORKBOOK,
}
_WIDE_MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class ByteStream(Protocol):
    """What can be read in order."""

    def read(self, size: int = -1, /) -> bytes:
        """Returns up to `size` bytes, none at the end."""


def open_text(path: str, encoding: str, start: int = 0) -> "Utf8Text":
    """Opens a text file as UTF-8 bytes, without a byte-order mark.

    Args:
      path: File; its last suffix says whether it is compressed.
      encoding: Python codec of the text.
      start: First byte to read; only for uncompressed UTF-8.

    Raises:
      DataError: If the first bytes show that it is no such text.
    """
    suffix = Path(path).suffix.lower()
    stream = _decompress(path, suffix)
    if start:
        stream.seek(start)
        return Utf8Text(stream, encoding)
    head = stream.read(8)
    _check_signature(path, head, encoding)
    return Utf8Text(Chained(head, stream), encoding)


def _decompress(path: str, suffix: str):  # type: ignore[no-untyped-def]
    if suffix == ".xz":
        return BoundedExpansion(path, lzma.open(path, "rb"))
    if suffix in _CODECS:
        return BoundedExpansion(path, pa.CompressedInputStream(pa.OSFile(path, "rb"), _CODECS[suffix]))
    return pa.OSFile(path, "rb")


class BoundedExpansion:
    """The content of a compressed file, which ends with an error if it is out of all proportion."""

    def __init__(self, path: str, content: ByteStream) -> None:
        self._path, self._content = path, content
        self._left = max(FREE_BYTES, MAX_EXPANSION * Path(path).stat().st_size)

    def read(self, size: int = -1, /) -> bytes:
        """Returns up to `size` bytes, none at the end.

        Raises:
          DataError: If the file expands beyond `MAX_EXPANSION` and `FREE_BYTES`.
        """
        data = self._content.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise DataError(
                f"{self._path}: expected a compressed log, received one that expands to more than {MAX_EXPANSION} "
                "times its size; if it is right, unpack it"
            )
        return data


def _check_signature(path: str, head: bytes, encoding: str) -> None:
    for signature, meaning in _SIGNATURES.items():
        if head.startswith(signature):
            meaning = WORKBOOK if is_workbook(path) else meaning
            raise DataError(f"{path}: expected text, received {meaning}")
    for mark, name in _WIDE_MARKS.items():
        if head.startswith(mark) and codecs.lookup(encoding).name == "utf-8":
            raise DataError(f"{path}: expected {encoding} text, received {name}; set `encoding: {name}`")


class Chained:
    """Bytes that were already read, then the rest of the stream."""

    def __init__(self, head: bytes, rest: ByteStream, limit: int | None = None) -> None:
        self._head, self._rest, self._left = head, rest, limit
        self.closed = False

    def read(self, size: int = -1, /) -> bytes:
        """Returns up to `size` bytes, and no more in all than `limit`."""
        if self._left is not None:
            size = self._left if size < 0 else min(size, self._left)
        if size == 0:
            return b""
        if self._head:
            data, self._head = (self._head, b"") if size < 0 else (self._head[:size], self._head[size:])
        else:
            data = self._rest.read(size)
        if self._left is not None:
            self._left -= len(data)
        return data

    def close(self) -> None:
        """Marks the stream as closed; the file closes with its last reference."""
        self.closed = True


class Utf8Text:
    """Text of any encoding as valid UTF-8.

    Bytes that the encoding does not have become `MARK`, so that they spoil one value and not the file. (Arrow can
    neither skip rows that are not UTF-8 nor say where they are.) So do NUL characters: they are no text but a sign of
    damage or of another encoding, and Arrow 18 loses CSV rows that have them where a block ends.

    Attributes:
      marked: Whether there were such bytes so far.
    """

    def __init__(self, source: ByteStream, encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)(_ERRORS)
        self._is_utf8 = codecs.lookup(encoding).name in ("utf-8", "ascii", "utf-8-sig")
        self._ready, self._started, self._ended = b"", False, False
        self.marked = False
        self.closed = False

    def read(self, size: int = -1, /) -> bytes:
        """Returns up to `size` bytes, none at the end."""
        while not self._ended and (size < 0 or not self._ready):
            self._ready += self._decode(self._source.read(size))
        data, self._ready = (self._ready, b"") if size < 0 else (self._ready[:size], self._ready[size:])
        return data

    def close(self) -> None:
        """Marks the stream as closed; the file closes with its last reference."""
        self.closed = True

    def _decode(self, data: bytes) -> bytes:
        self._ended = not data
        plain = self._is_utf8 and self._started and data.isascii() and b"\0" not in data
        if plain and self._decoder.getstate()[0] == b"":
            return data
        text = self._decoder.decode(data, self._ended).replace("\0", MARK)
        self.marked = self.marked or MARK in text
        if text and not self._started:
            text, self._started = text.removeprefix("\ufeff"), True
        return text.encode()
