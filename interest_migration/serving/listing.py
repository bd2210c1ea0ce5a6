"""What a push directory holds of a model: versions, where they came from, and what servers do with them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from interest_migration.serving.audit import PUSH, read_audit
from interest_migration.serving.model_config import Policy, read_rollout
from interest_migration.serving.rollouts import describe
from interest_migration.serving.versions import list_versions


@dataclass(frozen=True)
class Origin:
    """Where a version came from.

    Attributes:
      run: The run; empty if unknown.
      pushed: When, ISO 8601.
    """

    run: str
    pushed: str


@dataclass(frozen=True)
class ListedVersion:
    """One version.

    Attributes:
      version: Its number.
      pushed: When it was pushed, ISO 8601; where nobody recorded that, when its files were made.
      run: The run that pushed it; empty if unknown.
      labels: Its labels.
      state: `served`, `loaded` (beside the served one) or `kept` (on disk only).
      bytes: Size of its files.
    """

    version: int
    pushed: str
    run: str
    labels: list[str]
    state: str
    bytes: int


def list_model(directory: Path, origins: Mapping[int, Origin]) -> dict[str, Any]:
    """Returns what there is of a model, as plain values.

    Args:
      directory: The model's folder.
      origins: Version -> what the workspace knows of it; the audit log comes first.

    Raises:
      DataError: If `models.config` or the audit log is damaged.
    """
    rollout, versions = read_rollout(directory), list_versions(directory)
    present = [version.number for version in versions]
    pushes = [entry for entry in read_audit(directory.parent, directory.name) if entry.action == PUSH]
    known = dict(origins) | {entry.version: Origin(entry.run, entry.at) for entry in pushes if entry.version}
    loaded, serves = rollout.loads(present), rollout.serves(present)
    listed = []
    for version in versions:
        origin = known.get(version.number) or Origin("", _made(version.path))
        state = "served" if version.number == serves else "loaded" if version.number in loaded else "kept"
        labels = [name for name, number in rollout.labels.items() if number == version.number]
        size = sum(path.stat().st_size for path in version.path.rglob("*") if path.is_file())
        listed.append(ListedVersion(version.number, origin.pushed, origin.run, labels, state, size))
    return {
        "model": directory.name,
        "directory": str(directory),
        "base_path": rollout.base_path,
        **describe(rollout, present),
        "pinned": rollout.policy is Policy.SPECIFIC,
        "unlabelled_requests": max(loaded, default=None),
        "versions": [asdict(version) for version in reversed(listed)],
    }


def _made(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
