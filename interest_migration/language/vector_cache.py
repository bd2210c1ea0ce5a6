"""Vectors of texts, kept on disk, so that each text is computed once.

<directory>/<digest of the encoder>/<digest of the part>.parquet   key: 32 bytes; vector: float32[W]

A key is the SHA-256 of the encoder's digest and the text; texts themselves are not kept. Parts are written whole or not
at all and never changed, and a part that two processes compute has one name, so a kill loses the part at work and
nothing else. Parts that cannot be read count as absent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from interest_migration.language.distinct import distinct_texts
from interest_migration.storage.atomic import replacing

_KEY: Final = pa.binary(32)
_TEXTS_PER_PART: Final = 4096


class Encoder(Protocol):
    """What the cache needs of an encoder."""

    width: int
    digest: str

    def embed(self, texts: Sequence[str | None], /) -> np.ndarray:
        """Returns `[N, W]` float32 vectors of `[N]` texts."""
        ...


def embed_cached(
    encoder: Encoder,
    texts: pa.Array | Sequence[str | None],
    directory: Path,
    report: Callable[[str], None] = lambda _: None,
) -> np.ndarray:
    """Returns the vectors of texts; computes and keeps those that are not on disk yet.

    Args:
      encoder: Computes vectors.
      texts: `[N]` texts; null counts as empty.
      directory: Where vectors are kept; shared by encoders, runs and processes.
      report: Receives a line per part that was computed.

    Returns:
      `[N, W]` float32, as `encoder.embed(texts)`.
    """
    different, rows = distinct_texts(texts)
    vectors = np.zeros((len(different), encoder.width), np.float32)
    if not different:
        return vectors[rows]
    folder = directory / encoder.digest
    keys = _keys(encoder.digest, different)
    missing = _read(folder, keys, vectors, report)
    for start in range(0, len(missing), _TEXTS_PER_PART):
        part = missing[start : start + _TEXTS_PER_PART]
        vectors[part] = encoder.embed([different[row] for row in part])
        _write(folder, keys.take(pa.array(part)), vectors[part])
        report(f"embedded {start + len(part):,} of {len(missing):,} new texts ({len(different):,} in all)")
    return vectors[rows]


def _keys(digest: str, texts: list[str]) -> Any:
    return pa.array([hashlib.sha256(f"{digest}\n{text}".encode()).digest() for text in texts], _KEY)


def _read(folder: Path, keys: Any, vectors: np.ndarray, report: Callable[[str], None]) -> np.ndarray:
    """Fills in the vectors on disk and returns the rows that are not there."""
    missing = np.arange(len(keys))
    for path in sorted(folder.glob("*.parquet")):
        try:
            kept = pq.read_table(path, columns=["key"])["key"].combine_chunks()
            places = pc.index_in(keys.take(pa.array(missing)), kept)
            found = places.is_valid().to_numpy(zero_copy_only=False)
            if found.any():
                vectors[missing[found]] = _vectors(path, places.drop_null(), vectors.shape[1])
        except (OSError, pa.ArrowException, ValueError) as error:
            report(f"left out {path}, which cannot be read: {error}")
            continue
        missing = missing[~found]
        if not len(missing):
            break
    return missing


def _vectors(path: Path, places: Any, width: int) -> np.ndarray:
    column = pq.read_table(path, columns=["vector"])["vector"].combine_chunks()
    return column.take(places).flatten().to_numpy().reshape(len(places), width)


def _write(folder: Path, keys: Any, vectors: np.ndarray) -> None:
    columns = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    name = hashlib.sha256(b"".join(keys.to_pylist())).hexdigest()[:32]
    with replacing(folder / f"{name}.parquet") as temporary:
        pq.write_table(pa.table({"key": keys, "vector": columns}), temporary, use_dictionary=False)
