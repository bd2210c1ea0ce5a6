"""The folder of a pipeline's runs on this machine.

    workspace/
      lock                   held by the run under way
      readers.lock           held by whoever reads artifacts without running
      artifacts/             outputs of every step
      metadata.sqlite        what was run with what; unchanged steps are found here
      runs/<run>/log.txt     everything that TFX, Beam and TensorFlow say
      runs/<run>/run.json    how a run goes or went, however it ended
      runs/<run>/outcome.json  result of a finished run
      runs/<run>/report.html  the run for people
      runs/<run>/data.json     which data it read, for later runs to compare with
      runs/<run>/data_decision.json  what the data gate said, of refused runs too
      schemas/               the curated schema, by content
      served/<model>/<n>/    pushed versions, unless push.directory says otherwise
      pseudonym.key          key of the pseudonyms, unless data.key_file says otherwise

One run at a time holds the folder's lock. Artifacts are removed by its holder alone, and not while others read them.
"""

import datetime
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from interest_migration.errors import DataError
from interest_migration.storage.atomic import replacing

LOG_FILE: Final = "log.txt"
OUTCOME_FILE: Final = "outcome.json"
RUN_FILE: Final = "run.json"
REPORT_FILE: Final = "report.html"
DATA_DECISION_FILE: Final = "data_decision.json"


@contextmanager
def locked(workspace: Path) -> Iterator[None]:
    """Holds the workspace for one run.

    Raises:
      DataError: If another run holds it, or it cannot be written.
    """
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        file = (workspace / "lock").open("a+")
    except OSError as error:
        raise DataError(f"expected a folder that can be written, received {workspace}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise DataError(
                f"expected a free folder, but {workspace} is used by process {file.read().strip() or 'unknown'}. "
                "Wait for it, or use another one (run: --set workspace=...)"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield  # The lock goes with the process, however that ends.


def is_locked(workspace: Path) -> bool:
    """Returns whether a run holds the workspace now."""
    try:
        with (workspace / "lock").open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def reading(workspace: Path) -> Iterator[None]:
    """Keeps artifacts from being removed while they are read; any number of readers may."""
    try:
        file = (workspace / "readers.lock").open("a")
    except OSError:
        yield  # Who cannot write here reads without protection.
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def removing(workspace: Path) -> Iterator[None]:
    """Lets artifacts be removed.

    Raises:
      DataError: If someone reads them.
    """
    with (workspace / "readers.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(
                f"expected artifacts in {workspace} that nobody reads, but another command evaluates them; "
                "nothing was removed. Wait for it and try again"
            ) from error
        yield


def new_run_id() -> str:
    """Returns a name that sorts by time, such as `20260102-030405-678901`."""
    return datetime.datetime.now(tz=datetime.UTC).strftime("%Y%m%d-%H%M%S-%f")


def keep_schema(schema_file: Path, workspace: Path) -> Path:
    """Copies the schema to a place named after its content, so that a changed one is a changed parameter."""
    content = schema_file.read_bytes()
    place = workspace / "schemas" / hashlib.sha256(content).hexdigest()[:16] / schema_file.name
    if not place.exists():
        with replacing(place) as temporary:
            temporary.write_bytes(content)
    return place
