"""Key rotation, erasure and removal on a workspace: what is done, what remains, and what is left to do."""

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from interest_migration.errors import ConfigError, DataError
from interest_migration.privacy.erasure import erased_users
from interest_migration.privacy.keys import KEY_VARIABLE, load_key, replace_key
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.serving.versions import list_versions
from pipeline.config import PipelineConfig
from pipeline.workspace import locked


@dataclass(frozen=True)
class Account:
    """What was done, or would be.

    Attributes:
      dry_run: Whether nothing was done.
      done: What was done, a sentence each.
      removed: Folders that were deleted.
      removed_bytes: Their size.
      remains: What still holds or knows users.
      next_steps: What is left to do.
    """

    dry_run: bool
    done: tuple[str, ...]
    removed: tuple[str, ...]
    removed_bytes: int
    remains: tuple[str, ...]
    next_steps: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Returns lines for a person."""
        size = f"{self.removed_bytes / 2**20:,.1f} MiB"
        listed = [("Would be removed" if self.dry_run else "Removed") + f": {path}" for path in self.removed]
        return [
            *(f"{'Would: ' if self.dry_run else ''}{line}" for line in self.done),
            *listed,
            f"{len(self.removed)} artifacts, {size}",
            *(f"Remains: {line}" for line in self.remains),
            *(f"Next: {line}" for line in self.next_steps),
        ]


def rotate_key(config: PipelineConfig, *, keep_old: bool, delete_artifacts: bool, dry_run: bool) -> Account:
    """Puts a new key in place of the old one; interrupted at any point, it can be done again.

    Args:
      config: Names the key file and the workspace.
      keep_old: Whether the old key stays in a file beside it.
      delete_artifacts: Whether artifacts with pseudonyms go.
      dry_run: Whether to tell only.

    Raises:
      ConfigError: If the key is in the environment, or there is none yet.
      DataError: If the workspace is in use.
    """
    from pipeline.retention import about_users, measure, remove

    file = config.key_file
    _check_key_file(file)
    with locked(config.workspace):
        old = Pseudonymiser(load_key(file)).key_id
        kept = file.with_name(f"{file.name}.{old}.old") if keep_old else None
        removal = about_users(config.workspace) if delete_artifacts else measure([])
        if not dry_run:
            remove(config.workspace, removal)  # Before the key: done again, it finds what is left.
            replace_key(file, kept)
    remains = ["artifacts made with the old key; --delete-artifacts deletes them"] if not delete_artifacts else []
    if kept:
        remains.append(f"the old key, {kept}: with it and a user's id, old pseudonyms can be linked to the user")
    return Account(
        dry_run,
        (
            f"a new key in {file}; the old key, {old}, is {'kept' if kept else 'destroyed'}",
            "every cached result is void, since it was made with the old key",
        ),
        tuple(map(str, removal.folders)),
        removal.size,
        (*remains, "copies of the old key in backups", *_models(config)),
        ("run again: it reads all logs and trains anew, and users fall into other samples, so figures move a little",),
    )


def erase(config: PipelineConfig, erasure_list: Path | None, *, dry_run: bool) -> Account:
    """Deletes the artifacts that may hold erased users.

    Args:
      config: Names the workspace, the key and the erasure list that runs honour.
      erasure_list: Users who must be on that list; default: the list itself.
      dry_run: Whether to tell only.

    Raises:
      ConfigError: If the configuration has no list, or users are missing from it: the next run would use them again.
      DataError: If the workspace is in use.
    """
    from pipeline.retention import about_users, remove

    honoured = config.data.erasure_list
    if honoured is None:
        raise ConfigError(
            "data.erasure_list: expected the file of erased users, received none, so the next run would use them "
            "again; set it, then erase"
        )
    with locked(config.workspace):
        users = _count_users(config, honoured, erasure_list or honoured)
        removal = about_users(config.workspace)
        if not dry_run:
            remove(config.workspace, removal)
            shutil.rmtree(config.vector_cache, ignore_errors=True)  # texts that they typed may be among them
    return Account(
        dry_run,
        (f"artifacts of all earlier runs that hold rows of users go ({users} users are to be erased)",),
        tuple(map(str, removal.folders)),
        removal.size,
        (*_models(config), "the logs themselves, and what `interest-migration ingest` wrote elsewhere"),
        (
            "run again: the rows of these users are set aside as erased_user, and a new model is trained without them",
            "then retire the versions above: delete their folders, or let push.keep_versions do so",
            "then, to delete the models that were trained before: privacy purge --set retention.runs=1",
        ),
    )


def purge(config: PipelineConfig, *, dry_run: bool) -> Account:
    """Deletes what the retention settings do not keep.

    Raises:
      ConfigError: If they keep everything.
      DataError: If the workspace is in use.
    """
    from pipeline.retention import expired, remove

    if config.retention.runs is None and config.retention.days is None:
        raise ConfigError("retention: expected runs or days, received neither; try: --set retention.runs=3")
    with locked(config.workspace):
        removal = expired(config)
        if not dry_run:
            remove(config.workspace, removal)
    return Account(dry_run, (), tuple(map(str, removal.folders)), removal.size, (), ())


def _check_key_file(file: Path) -> None:
    if KEY_VARIABLE in os.environ:
        raise ConfigError(
            f"expected a key file, but the key is in the environment variable {KEY_VARIABLE}, which a command cannot "
            'change. Make a key with: python -c "import secrets; print(secrets.token_hex(32))", set the variable to it '
            "wherever the pipeline runs, destroy the old one and run again; then: privacy purge --set retention.runs=1"
        )
    if not file.exists():
        raise ConfigError(f"expected a key to replace in {file}, received none; the first run makes one")


def _count_users(config: PipelineConfig, honoured: Path, erasure_list: Path) -> int:
    pseudonymiser = Pseudonymiser(load_key(config.key_file))
    users = erased_users(erasure_list, pseudonymiser)
    known = pc.is_in(users, value_set=erased_users(honoured, pseudonymiser)) if len(users) else users
    if missing := len(users) - (known.true_count if len(users) else 0):
        raise ConfigError(
            f"expected all users of {erasure_list} in data.erasure_list, {honoured}; {missing} are missing, and the "
            "next run would use them again. Add them, then erase"
        )
    if not len(users):
        raise DataError(f"expected users to erase in {erasure_list}, received none")
    return len(users)


def _models(config: PipelineConfig) -> tuple[str, ...]:
    """Names what was trained before and stays."""
    versions = [str(version.path) for version in list_versions(config.served_directory)]
    return (
        f"models that earlier runs trained, in {config.workspace / 'artifacts'}",
        f"served versions: {', '.join(versions) or 'none'}",
    )
