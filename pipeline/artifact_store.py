"""The artifacts of a workspace: which run needs which folder, and how folders go.

    artifacts/<node>/<output>/<execution>/                 an output
    artifacts/<node>/.system/executor_execution/<execution>/
    artifacts/<node>/.system/stateful_working_dir/...      of a step under way
    artifacts/.removed/...                                 being deleted

A folder vanishes by one rename before its files go, so a step is never answered from half of an earlier result: TFX
reuses outputs only whose folders are all there.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import ml_metadata
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.metadata import metadata_config

_DONE: Final = (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED)
_UNDER_WAY: Final = (mlmd.Execution.NEW, mlmd.Execution.RUNNING)


@dataclass(frozen=True)
class Folder:
    """An output on the disk.

    Attributes:
      path: Its folder.
      type_name: Type of the artifact; empty if no finished execution made it.
      execution: Number of the execution that wrote it.
    """

    path: Path
    type_name: str
    execution: int


class ArtifactStore:
    """The artifacts of one workspace, as its metadata store and its disk know them.

    Args:
      workspace: Folder of the pipeline; whoever changes something holds its lock.
    """

    def __init__(self, workspace: Path) -> None:
        self._root = workspace / "artifacts"
        exists = (workspace / "metadata.sqlite").exists()
        self._store: Any = ml_metadata.MetadataStore(metadata_config(workspace)) if exists else None

    def folders(self) -> list[Folder]:
        """Returns all outputs on the disk."""
        types = {artifact.uri: artifact.type for artifact in self._artifacts()}
        found = (path for node in _entries(self._root) for output in _entries(node) for path in _entries(output))
        return [Folder(path, types.get(str(path), ""), int(path.name)) for path in found if path.name.isdigit()]

    def folders_of_run(self, run_id: str) -> set[Path]:
        """Returns the outputs that a run made or reused."""
        if self._store is None:
            return set()
        context = self._store.get_context_by_type_and_name("pipeline_run", run_id)
        executions = self._store.get_executions_by_context(context.id) if context else []
        done = [execution.id for execution in executions if execution.last_known_state in _DONE]
        events = self._store.get_events_by_execution_ids(done) if done else []
        made = {event.artifact_id for event in events if event.type == mlmd.Event.OUTPUT}
        return {Path(artifact.uri) for artifact in self._store.get_artifacts_by_id(sorted(made))}

    def first_push_of(self, version: Path) -> Path | None:
        """Returns the `PushedModel` folder of the push that made a served version."""
        pushes = [
            artifact
            for artifact in self._artifacts()
            if artifact.custom_properties["pushed_destination"].string_value == str(version)
        ]
        return Path(min(pushes, key=lambda artifact: artifact.id).uri) if pushes else None

    def remove(self, paths: Iterable[Path]) -> None:
        """Deletes folders; the metadata store then knows their artifacts as deleted.

        Raises:
          OSError: If a folder cannot be renamed.
        """
        trash = self._root / ".removed" / uuid4().hex
        trash.mkdir(parents=True)
        for number, path in enumerate(paths):
            path.rename(trash / str(number))
        self._mark_deleted()
        shutil.rmtree(trash.parent, ignore_errors=True)

    def remove_leftovers(self) -> None:
        """Deletes what killed runs left: half-written outputs and temporary files; only while no run is under way."""
        if self._store is None:
            return
        dead = [one for one in self._store.get_executions() if one.last_known_state in _UNDER_WAY]
        for execution in dead:
            execution.last_known_state = mlmd.Execution.CANCELED
        if dead:
            self._store.put_executions(dead)
        numbers = {execution.id for execution in dead}
        systems = [node / ".system" for node in _entries(self._root)]
        working = [path for system in systems for path in _entries(system / "stateful_working_dir")]
        temporary = [
            system / "executor_execution" / str(number)
            for system in systems
            for number in numbers
            if (system / "executor_execution" / str(number)).exists()
        ]
        half_written = [folder.path for folder in self.folders() if folder.execution in numbers]
        if half_written or working or temporary or (self._root / ".removed").exists():
            self.remove([*half_written, *working, *temporary])

    def _mark_deleted(self) -> None:
        gone = [
            artifact
            for artifact in self._artifacts()
            if artifact.state != mlmd.Artifact.DELETED
            and Path(artifact.uri).is_relative_to(self._root)
            and not Path(artifact.uri).exists()
        ]
        for artifact in gone:
            artifact.state = mlmd.Artifact.DELETED
        if gone:
            self._store.put_artifacts(gone)

    def _artifacts(self) -> list[Any]:
        return [] if self._store is None else list(self._store.get_artifacts())


def _entries(folder: Path) -> Iterator[Path]:
    """Yields what is in a folder, sorted, without hidden entries."""
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if not path.name.startswith("."))
