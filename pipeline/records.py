"""The record of a run: written when it begins and again when it has ended, however it ends.

runs/<run>/run.json      state, steps, artifacts, settings, versions
runs/<run>/report.html   the same and what the artifacts hold, for people
"""

import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interest_migration.data_gate.errors import find_decision
from interest_migration.errors import DataError, InterestMigrationError
from interest_migration.report.record import Pushed, RunRecord, State, StepTime
from interest_migration.storage.atomic import replacing
from pipeline.steps import Step, StepFailedError
from pipeline.terminal import divert_output
from pipeline.workspace import LOG_FILE, REPORT_FILE, RUN_FILE, is_locked

if TYPE_CHECKING:
    from pipeline.outcome import Outcome

_LIBRARIES = ("interest-migration", "tfx", "tensorflow", "keras", "apache-beam", "numpy", "pyarrow")


class Recorder:
    """Keeps the record of a run under way.

    Args:
      folder: The run's folder; its name is the run's.
      pipeline: Name of the pipeline.
      settings: What the run uses, as plain values.

    Attributes:
      folder: The run's folder.
      steps: Steps that have ended, in order; the runner adds to it.
    """

    def __init__(self, folder: Path, pipeline: str, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self.steps: list[Step] = []
        self._record = RunRecord(
            run=folder.name,
            pipeline=pipeline,
            started=_now(),
            command=f"interest-migration {shlex.join(sys.argv[1:])}",
            versions={"python": sys.version.split()[0], **_versions()},
            settings=dict(settings),
        )
        self._write(self._record)

    def note(self, **inputs: str) -> None:
        """Adds what makes the run repeatable."""
        self._record = replace(self._record, inputs={**self._record.inputs, **inputs})

    def finish(self, outcome: "Outcome") -> None:
        """Records what the gate decided and what was pushed."""
        pushed = outcome.pushed and Pushed(outcome.pushed.version, str(outcome.pushed.path), outcome.pushed.is_new)
        refused = State.HELD if outcome.decision.passed else State.MODEL_REFUSED
        if outcome.decision.passed and outcome.serving and not outcome.serving.passed:
            refused = State.SERVING_REFUSED
        self._end(state=State.PUSHED if pushed else refused, pushed=pushed)

    def fail(self, error: BaseException) -> None:
        """Records an end without a decision about a model."""
        decision, is_failure = find_decision(error), isinstance(error, Exception)
        self._end(
            state=State.DATA_REFUSED if decision else State.FAILED if is_failure else State.INTERRUPTED,
            failed_step=error.step if isinstance(error, StepFailedError) else "",
            error=str(error) or type(error).__name__,
            data_decision=decision,
        )

    def _end(self, **values: Any) -> None:
        outputs = ((step.name, name, found) for step in self.steps for name, found in step.outputs.items())
        self._write(
            replace(
                self._record,
                ended=_now(),
                steps=tuple(StepTime(step.name, round(step.seconds, 1), step.cached) for step in self.steps),
                artifacts={f"{step}.{name}": str(artifact.uri) for step, name, found in outputs for artifact in found},
                **values,
            )
        )

    def _write(self, record: RunRecord) -> None:
        with replacing(self.folder / RUN_FILE) as temporary:
            temporary.write_text(record.to_text(), encoding="utf-8")


@contextmanager
def recorded(folder: Path, pipeline: str, settings: Mapping[str, Any], served: Path) -> Iterator[Recorder]:
    """Keeps the record of a run, and writes its report at the end.

    A report that cannot be written is told of on standard error; it changes nothing about the run.

    Args:
      folder: The run's folder.
      pipeline: Name of the pipeline.
      settings: What the run uses.
      served: Folder of the served versions, which keeps the reviews.
    """
    recorder = Recorder(folder, pipeline, settings)
    try:
        yield recorder
    except BaseException as error:
        recorder.fail(error)
        if try_report(folder, served) and isinstance(error, InterestMigrationError):
            error.args = (f"{error}\nReport: {folder / REPORT_FILE}",)
        raise
    try_report(folder, served)


def read_record(folder: Path) -> RunRecord:
    """Reads the record of a run; one that says that it runs, though nothing does, was interrupted.

    Raises:
      DataError: If there is no readable record.
    """
    try:
        record = RunRecord.from_text((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"expected the record of a run in {folder}, found no readable {RUN_FILE}") from error
    if record.state is not State.RUNNING:
        return record
    workspace = folder.parents[1]
    runs = folder == _run_folders(workspace)[-1] and is_locked(workspace)
    return record if runs else replace(record, state=State.INTERRUPTED)


def list_records(workspace: Path) -> list[RunRecord]:
    """Returns the records of a workspace's runs, newest first; a damaged one says so."""
    return [_read_or_tell(folder) for folder in reversed(_run_folders(workspace))]


def _read_or_tell(folder: Path) -> RunRecord:
    try:
        return read_record(folder)
    except DataError as error:
        return RunRecord(folder.name, "", "", "", State.UNREADABLE, error=str(error))


def find_run(workspace: Path, run_id: str | None) -> Path:
    """Returns the folder of a run, the newest if none is named.

    Raises:
      DataError: If there is none.
    """
    found = [folder for folder in _run_folders(workspace) if run_id in (None, folder.name)]
    if not found:
        what = f"a run {run_id}" if run_id else "a run"
        raise DataError(f"expected {what} in {workspace}, found none; try: interest-migration runs --config ...")
    return found[-1]


def _run_folders(workspace: Path) -> list[Path]:
    return sorted(path.parent for path in workspace.glob(f"runs/*/{RUN_FILE}"))


def try_report(folder: Path, served: Path) -> bool:
    """Writes the report of a run; what the libraries say goes to its log.

    Args:
      folder: The run's folder.
      served: Folder of the served versions, which keeps the reviews.

    Returns:
      Whether it was written; if not, standard error says why.
    """
    try:
        with divert_output(folder / LOG_FILE):
            from pipeline.reports import write_report

            write_report(folder, served, folder / REPORT_FILE)
    except Exception as error:
        sys.stderr.write(f"The report could not be written: {type(error).__name__}: {error}\n")
        return False
    return True


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
