"""Changes of what is served: checked, written by one rename, and recorded."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interest_migration.errors import DataError, RefusedError
from interest_migration.serving.audit import PUSH, AuditEntry, record
from interest_migration.serving.model_config import Rollout, config_file, read_rollout, render, write_rollout
from interest_migration.serving.model_directory import check_file_list
from interest_migration.serving.moves import load_first
from interest_migration.serving.reviews import Action, now, standing_review
from interest_migration.serving.versions import Push, digest_files, list_versions, one_at_a_time

Move = Callable[[Rollout, Collection[int]], Rollout]
"""What is served and the versions on disk -> what shall be served, see `interest_migration.serving.moves`."""
Wait = Callable[[Collection[int]], None]
"""Returns when servers have loaded these versions."""


@dataclass(frozen=True)
class Author:
    """Who changes something, and why.

    Attributes:
      by: A person's or a program's name.
      reason: In their words.
    """

    by: str
    reason: str


@dataclass(frozen=True)
class Changed:
    """What a change did, or would do.

    Attributes:
      directory: The model's folder.
      action: What was asked for.
      before: What was served.
      after: What is served now.
      present: The versions on disk.
      loaded_first: Versions that servers had to load before.
      recorded: False for a rehearsal.
    """

    directory: Path
    action: str
    before: Rollout
    after: Rollout
    present: tuple[int, ...]
    loaded_first: tuple[int, ...]
    recorded: bool

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return {
            "model": self.directory.name,
            "action": self.action,
            "before": describe(self.before, self.present),
            "after": describe(self.after, self.present),
            "loaded_first": list(self.loaded_first),
            "file": str(config_file(self.directory)),
            "recorded": self.recorded,
        }


def describe(rollout: Rollout, present: Collection[int]) -> dict[str, Any]:
    """Returns policy, labels and the version served as plain values."""
    return {**rollout.to_json(), "serves": rollout.serves(present)}


def change(directory: Path, action: str, move: Move, author: Author, wait: Wait, *, rehearse: bool) -> Changed:
    """Changes what is served of a model, in two steps where a server has to load a version before it is named.

    Args:
      directory: The model's folder.
      action: What it is called in the audit log.
      move: What is served -> what shall be.
      author: Who, and why.
      wait: Called between the steps, without any lock.
      rehearse: Whether to say what would happen, and do nothing.

    Raises:
      DataError: If there is no such version, it is no whole SavedModel, or the file is damaged or cannot be written.
      RefusedError: If somebody holds the model that would get requests.
    """
    if rehearse:
        before, after, present = _plan(directory, move)
        return Changed(directory, action, before, after, present, _loads_first(before, after, present), recorded=False)
    with one_at_a_time(directory), one_at_a_time(directory.parent):
        before, after, present = _plan(directory, move)
        first = load_first(before, after, present)
        if first is None:
            _write(directory, action, before, after, present, author)
        else:
            _write(directory, "load", before, first, present, author)
    if first is None:
        return Changed(directory, action, before, after, present, (), recorded=True)
    wait(_loads_first(before, after, present))
    with one_at_a_time(directory), one_at_a_time(directory.parent):
        loaded, after, present = _plan(directory, move)
        _write(directory, action, loaded, after, present, author)
    return Changed(directory, action, before, after, present, _loads_first(before, after, present), recorded=True)


def record_push(push: Push, author: Author, run: str = "") -> None:
    """Records that a version was pushed; nothing if it was there already.

    Raises:
      DataError: If the log cannot be written.
    """
    if not push.is_new:
        return
    directory, version = push.version.path.parent, push.version.number
    present = [found.number for found in list_versions(directory)]
    rollout, earlier = read_rollout(directory), [number for number in present if number != version]
    _record(directory, PUSH, describe(rollout, earlier), describe(rollout, present), author, version, run)


def _plan(directory: Path, move: Move) -> tuple[Rollout, Rollout, tuple[int, ...]]:
    present = tuple(version.number for version in list_versions(directory))
    before = read_rollout(directory)
    after = move(before, present)
    _check_versions(directory, sorted(set(after.labels.values()) - set(before.labels.values())))
    render(directory, after)
    return before, after, present


def _loads_first(before: Rollout, after: Rollout, present: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(set(after.labels.values()) - set(before.loads(present))))


def _check_versions(directory: Path, numbers: Sequence[int]) -> None:
    """Checks versions that are about to get requests."""
    for number in numbers:
        path = directory / str(number)
        if not (path / "saved_model.pb").is_file():
            raise DataError(f"expected a SavedModel in {path}, found no saved_model.pb")
        check_file_list(path)
        review = standing_review(directory, digest_files(path))
        if review and review.action is Action.HOLD:
            raise RefusedError(
                f"version {number} gets no requests: {review.describe()}. Release it first: interest-migration review"
            )


def _write(
    directory: Path, action: str, before: Rollout, after: Rollout, present: Collection[int], author: Author
) -> None:
    write_rollout(directory, after)
    _record(directory, action, describe(before, present), describe(after, present), author)


def _record(
    directory: Path,
    action: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    author: Author,
    version: int | None = None,
    run: str = "",
) -> None:
    entry = AuditEntry(now(), author.by, action, directory.name, author.reason, before, after, version, run)
    record(directory.parent, entry)
