"""How long artifacts stay. Run folders (log, outcome, report) always do.

A folder goes when no run needs it that is to be kept: the newest finished runs, younger ones, whatever came after them
(it may be gone on with), and the runs whose models are served.
"""

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from interest_migration.errors import DataError
from interest_migration.serving.versions import list_versions
from pipeline.artifact_store import ArtifactStore, Folder
from pipeline.config import PipelineConfig, RetentionSettings
from pipeline.workspace import OUTCOME_FILE, removing

ABOUT_NOBODY: Final = frozenset(("Model", "ModelBlessing", "ModelEvaluation", "PushedModel", "Schema"))
"""Types of artifacts that hold no user's row: `erase` leaves them. All others hold rows of users, measured users
(`components.Comparison`, `components.Decision`), or statistics of few."""


@dataclass(frozen=True)
class Removal:
    """What is removed, or would be.

    Attributes:
      folders: Outputs.
      size: Their bytes.
    """

    folders: tuple[Path, ...]
    size: int


def expired(config: PipelineConfig) -> Removal:
    """Returns what the retention settings no longer keep; nothing if they keep everything."""
    store, kept = ArtifactStore(config.workspace), _kept_runs(config.workspace, config.retention)
    if kept is None:
        return measure([])
    needed = {path for run in kept for path in store.folders_of_run(run)}
    served = {store.first_push_of(version.path) for version in list_versions(config.served_directory)} - needed
    for run in _all_runs(config.workspace):
        if served and not served.isdisjoint(folders := store.folders_of_run(run)):
            needed |= folders
            served -= folders
    return measure([folder for folder in store.folders() if folder.path not in needed])


def about_users(workspace: Path) -> Removal:
    """Returns every output that holds rows or statistics of users, of all runs."""
    return measure([folder for folder in ArtifactStore(workspace).folders() if folder.type_name not in ABOUT_NOBODY])


def remove(workspace: Path, removal: Removal) -> None:
    """Deletes it; the caller holds the workspace.

    Raises:
      DataError: If someone reads the artifacts just now, or they cannot be removed.
    """
    if not removal.folders:
        return
    with removing(workspace):
        try:
            ArtifactStore(workspace).remove(removal.folders)
        except OSError as error:
            raise DataError(f"expected artifacts in {workspace} that can be removed: {error.strerror}") from error


def measure(folders: list[Folder]) -> Removal:
    """Returns folders with their size."""
    files = (file for folder in folders for file in folder.path.rglob("*") if file.is_file())
    return Removal(tuple(folder.path for folder in folders), sum(file.stat().st_size for file in files))


def _kept_runs(workspace: Path, settings: RetentionSettings) -> list[str] | None:
    """Returns the runs that stay for their age; None if all do."""
    if settings.runs is None and settings.days is None:
        return None
    finished = [run for run in _all_runs(workspace) if _is_finished(workspace, run)]
    bounds = [finished[-min(count, len(finished))] for count in [settings.runs or 1] if finished]
    if settings.days is not None:
        oldest = datetime.datetime.now(tz=datetime.UTC) - datetime.timedelta(days=settings.days)
        bounds.append(oldest.strftime("%Y%m%d-%H%M%S-%f"))
    return [run for run in _all_runs(workspace) if run >= min(bounds, default="")]


def _all_runs(workspace: Path) -> list[str]:
    return sorted(path.name for path in workspace.glob("runs/*"))


def _is_finished(workspace: Path, run: str) -> bool:
    try:
        outcome = json.loads((workspace / "runs" / run / OUTCOME_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(outcome.get("artifacts"))
