"""Requests that clients sent to the model server, as they logged them."""

import hashlib
from pathlib import Path

from interest_migration.errors import DataError


def request_files(folder: str) -> list[Path]:
    """Returns the TFRecord files of a folder, sorted.

    Raises:
      DataError: If there is no such folder.
    """
    place = Path(folder)
    if not place.is_dir():
        raise DataError(f"expected a folder of logged requests, received {folder}: nothing there")
    return sorted(path for pattern in ("*.tfrecord", "*.tfrecord.gz") for path in place.rglob(pattern))


def digest_requests(folder: str) -> str:
    """Returns a digest of all logged requests."""
    digest = hashlib.blake2b(digest_size=16)
    for path in request_files(folder):
        with path.open("rb") as file:
            digest.update(f"{path.relative_to(folder)}\0".encode())
            digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()
