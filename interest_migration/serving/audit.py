"""What happened to the served models, by whom and why: `served/models.audit.jsonl`, only ever appended to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from interest_migration.serving import journal

AUDIT_FILE: Final = "models.audit.jsonl"
PUSH: Final = "push"
ROLLBACK: Final = "rollback"


@dataclass(frozen=True)
class AuditEntry:
    """One change.

    Attributes:
      at: When, ISO 8601 UTC.
      by: Who; `pipeline` for a run.
      action: `push`, `promote`, `rollback`, `pin`, `unpin`, `label`, `unlabel`, `load`, `init`.
      model: Which model.
      reason: Why, in their words.
      before: Policy and labels before (`Rollout.to_json`), and `serves`, the version served.
      after: The same after.
      version: The version it is about, if it is about one.
      run: The run that pushed it, if known.
    """

    at: str
    by: str
    action: str
    model: str
    reason: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    run: str = ""

    @property
    def served_before(self) -> int | None:
        """The version served before."""
        return self.before.get("serves")

    @property
    def served_after(self) -> int | None:
        """The version served after."""
        return self.after.get("serves")


def record(models: Path, entry: AuditEntry) -> None:
    """Appends to the log of a push directory.

    Raises:
      DataError: If it cannot be written.
    """
    journal.append(models / AUDIT_FILE, asdict(entry))


def read_audit(models: Path, model: str | None = None) -> list[AuditEntry]:
    """Returns the entries of a push directory, oldest first; only those of a model if one is named.

    Raises:
      DataError: If the log is damaged.
    """
    entries = journal.read(models / AUDIT_FILE, "an entry of the audit log", lambda values: AuditEntry(**values))
    return [entry for entry in entries if model in (None, entry.model)]


def served_before(entries: list[AuditEntry], now: int | None) -> list[int]:
    """Returns the versions that were served before this one, oldest first, without those that were rolled back from.

    Example:
      pushes of 1, 2, 3, then a rollback to 2 -> served before 2: 1.
    """
    served: list[int] = []
    for entry in entries:
        for version in (entry.served_before, entry.served_after):
            if version is None:
                continue
            if entry.action == ROLLBACK and version == entry.served_after and version in served:
                del served[served.index(version) + 1 :]
            elif version not in served[-1:]:
                served.append(version)
    if now in served:
        del served[len(served) - 1 - served[::-1].index(now) :]
    return served
