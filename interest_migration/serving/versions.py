"""Numbered model versions in the layout that TensorFlow Serving watches.

    served/interests/1/saved_model.pb
    served/interests/2/saved_model.pb          <- newest; served, unless served/models.config says otherwise
    served/interests/.pushing-4711-8c1f/...    a push under way; watchers look at numbers only

A version appears by one rename, so a watcher sees all of it or nothing.
"""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from interest_migration.errors import ContractError, DataError
from interest_migration.serving.model_config import Rollout, config_file, read_rollout

_UNDER_WAY = ".pushing-"
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY)
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Version:
    """One served version.

    Attributes:
      number: 1, 2, 3, ...
      path: Its folder.
    """

    number: int
    path: Path


@dataclass(frozen=True)
class Push:
    """What a push did.

    Attributes:
      version: The version that is now the newest.
      is_new: False if the newest version already had the same content.
    """

    version: Version
    is_new: bool


def list_versions(directory: Path) -> list[Version]:
    """Returns the versions under a model's folder, oldest first; none if the folder does not exist."""
    if not directory.is_dir():
        return []
    numbers = [entry.name for entry in directory.iterdir() if entry.name.isascii() and entry.name.isdigit()]
    return [Version(number, directory / name) for number, name in sorted((int(name), name) for name in numbers)]


def newest_version(directory: Path) -> Version | None:
    """Returns the version with the highest number."""
    versions = list_versions(directory)
    return versions[-1] if versions else None


def served_version(directory: Path) -> Version | None:
    """Returns the version that is really served: that of `models.config`, without it the newest; None before any push.

    Raises:
      DataError: If `models.config` is damaged, or what it names is gone.
    """
    versions = {version.number: version for version in list_versions(directory)}
    if not versions:
        return None
    rollout = read_rollout(directory)
    number = rollout.serves(versions)
    if number is None:
        raise DataError(
            f"expected the version that {config_file(directory)} serves of {directory.name}, found only "
            f"{', '.join(map(str, versions))} in {directory}; choose one: interest-migration models pin VERSION"
        )
    return versions[number]


def digest_files(directory: Path) -> str:
    """Returns a SHA-256 over names and contents of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(directory).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()


def push_version(model: Path, directory: Path, keep: int) -> Push:
    """Copies a model to the next free number, unless the newest version is the same, and drops the oldest ones.

    Whether the new version is served, `models.config` says; versions that it names or serves are never dropped.

    Args:
      model: Folder of a SavedModel.
      directory: The served model's folder, created if missing.
      keep: Number of newest versions that stay.

    Returns:
      The newest version, and whether it is new.

    Raises:
      ContractError: If `keep` is below 1.
      DataError: If the model holds no file, the folder cannot be written, or `models.config` is damaged.
    """
    if keep < 1:
        raise ContractError(f"expected to keep at least 1 version, received {keep}")
    if not any(path.is_file() for path in model.rglob("*")):
        raise DataError(f"expected a model in {model}, found no file")
    with _clear_errors(directory), one_at_a_time(directory):
        rollout = read_rollout(directory)
        _remove_leftovers(directory)
        newest = newest_version(directory)
        if newest and digest_files(newest.path) == digest_files(model):
            return Push(newest, is_new=False)
        version = _publish(model, directory)
        remove_old_versions(directory, keep, rollout)
    return Push(version, is_new=True)


def check_writable(directory: Path) -> None:
    """Checks that versions can be pushed to a folder, which is created if missing.

    Raises:
      DataError: If the folder cannot be written.
    """
    with _clear_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        probe = _temporary(directory)
        probe.mkdir()
        probe.rmdir()


def remove_old_versions(directory: Path, keep: int, rollout: Rollout) -> None:
    """Removes all but the newest versions and those in use; each vanishes by one rename before its files go."""
    versions = list_versions(directory)
    needed = rollout.needs([version.number for version in versions])
    for version in versions[:-keep]:
        if version.number in needed:
            continue
        condemned = _temporary(directory)
        try:
            version.path.rename(condemned)
        except FileNotFoundError:
            continue  # another push removed it
        shutil.rmtree(condemned, ignore_errors=True)


@contextmanager
def one_at_a_time(directory: Path) -> Iterator[None]:
    """Pushes and changes of what is served wait for each other, so that none removes what another compares with.

    Where the file system has no locks they go on: numbers are claimed by a rename all the same.
    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _publish(model: Path, directory: Path) -> Version:
    temporary = _temporary(directory)
    try:
        shutil.copytree(model, temporary)
        _sync_tree(temporary)
        version = _claim_number(temporary, directory)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync(directory)
    return version


def _claim_number(temporary: Path, directory: Path) -> Version:
    """Renames to the next number; a folder that is not empty cannot be replaced by a rename, so no push is lost."""
    while True:
        newest = newest_version(directory)
        number = newest.number + 1 if newest else 1
        try:
            return Version(number, temporary.rename(directory / str(number)))
        except OSError as error:
            if error.errno not in _TAKEN:
                raise


def _temporary(directory: Path) -> Path:
    return directory / f"{_UNDER_WAY}{os.getpid()}-{uuid4().hex[:8]}"


def _remove_leftovers(directory: Path) -> None:
    """Removes what killed pushes left: folders whose process is gone."""
    for path in directory.glob(f"{_UNDER_WAY}*"):
        owner = path.name.removeprefix(_UNDER_WAY).split("-")[0]
        if not (owner.isdigit() and _is_alive(int(owner))):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _sync_tree(directory: Path) -> None:
    for folder, _, files in os.walk(directory):
        for name in files:
            _sync(Path(folder) / name)
        _sync(Path(folder))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _clear_errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cause = error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror
        raise DataError(
            f"expected a folder that can be written for served models, received {directory}: "
            f"{cause or error}. Set push.directory to another place or change its permissions"
        ) from error
