"""What surrounds a run: a workspace that is held, checked and cleaned before, and thinned out after."""

import errno
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from interest_migration.errors import DataError, InterestMigrationError
from interest_migration.serving.versions import check_writable
from pipeline.config import PipelineConfig
from pipeline.workspace import locked

LEAST_FREE_BYTES: Final = 256 << 20
"""Less free space is not enough for any run: metadata, log, vocabularies and model alone take about that much."""

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_FULL_TEXTS: Final = ("No space left on device", "Disk quota exceeded", "disk is full")


class DiskFullError(InterestMigrationError):
    """A disk was full."""


@contextmanager
def holding(config: PipelineConfig) -> Iterator[None]:
    """Holds the workspace for one run.

    Before: places are checked, and what killed runs left is removed. After a run that ended without an error: artifacts
    go that the retention settings do not keep.

    Raises:
      DataError: If another run holds the workspace, a place cannot be written or has too little space.
      DiskFullError: If a disk was full meanwhile.
    """
    with locked(config.workspace):
        check_places(config)
        from pipeline.artifact_store import ArtifactStore

        with _explained(config.workspace):
            ArtifactStore(config.workspace).remove_leftovers()
            yield
        _thin_out(config)


def check_places(config: PipelineConfig) -> None:
    """Checks before long work what a run would find out after it.

    Raises:
      DataError: If the push directory cannot be written or there is too little space.
    """
    check_writable(config.served_directory)
    free = shutil.disk_usage(config.workspace).free
    if free < LEAST_FREE_BYTES:
        raise DataError(
            f"expected {LEAST_FREE_BYTES >> 20} MiB of free space or more for {config.workspace}, received "
            f"{free >> 20} MiB; free some, or use another disk: --set workspace=..."
        )


@contextmanager
def _explained(workspace: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not _is_full(error):
            raise
        raise DiskFullError(
            f"{error}\nA disk is full: that of {workspace} or of temporary files, {tempfile.gettempdir()}. Free some "
            "space and run again: finished steps are reused, and what was half-written is removed"
        ) from error


def _is_full(error: BaseException | None) -> bool:
    while error is not None:
        if getattr(error, "errno", None) in _FULL or any(text in str(error) for text in _FULL_TEXTS):
            return True
        error = error.__cause__ or error.__context__
    return False


def _thin_out(config: PipelineConfig) -> None:
    """Removes what has expired; whoever reads it just now does not spoil the run."""
    from pipeline.retention import expired, remove

    try:
        remove(config.workspace, expired(config))
    except DataError as error:
        sys.stderr.write(f"Old artifacts stay until the next run: {error}\n")
