import json
import multiprocessing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pages import check_page

import pipeline.reports
from interest_migration.data_gate.errors import DataRefusedError
from interest_migration.errors import DataError
from interest_migration.gates.decision import Check, CheckVerdict, Decision
from interest_migration.report.record import State
from pipeline.cli import main
from pipeline.outcome import Pushed
from pipeline.records import Recorder, find_run, list_records, read_record, recorded
from pipeline.steps import Step, StepFailedError
from pipeline.workspace import REPORT_FILE, locked

CONFIG = """
name: shop
workspace: work
data: {mapping: mapping.yaml}
gates: gates.yaml
"""
CHECK = Check("nulls", "event_price", "train", 0.5, 0.5, 0.5, "", "at most 0.1", CheckVerdict.BROKEN, "too many nulls")


DECISION = Decision.of("data", [CHECK])


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path / "work"


def run(workspace: Path, name: str, error: BaseException | None = None, outcome: Any = None) -> Path:
    """Records a run of one step that ends as told; returns its folder."""
    folder = workspace / "runs" / name
    with recorded(folder, "shop", {"config": {"name": "shop"}}, workspace / "served" / "interests") as recorder:
        recorder.note(span="7", key_id="beef")
        artifact: Any = SimpleNamespace(uri=f"{workspace}/artifacts/Maker/1")
        recorder.steps.append(Step("Maker", 1.26, False, {"model": [artifact]}))
        if error is not None:
            raise error
        recorder.finish(outcome)
    return folder


def outcome(passed: bool, pushed: Pushed | None, servable: bool = True) -> Any:
    gates = {"decision": SimpleNamespace(passed=passed), "serving": SimpleNamespace(passed=servable)}
    return SimpleNamespace(**gates, pushed=pushed)


def invoke(workspace: Path, *arguments: str) -> Result:
    command, *others = arguments
    return CliRunner().invoke(main, [command, "--config", str(workspace.parent / "config.yaml"), *others])


@pytest.mark.parametrize(("passed", "state"), [(True, State.SERVING_REFUSED), (False, State.MODEL_REFUSED)])
def test_a_run_whose_model_cannot_be_served(workspace: Path, passed: bool, state: State) -> None:
    assert read_record(run(workspace, "1", outcome=outcome(passed, None, servable=False))).state is state


@pytest.mark.parametrize(
    ("passed", "pushed", "state"),
    [
        (True, Pushed(3, Path("/w/3"), is_new=True), State.PUSHED),
        (True, None, State.HELD),
        (False, None, State.MODEL_REFUSED),
        (False, Pushed(3, Path("/w/3"), is_new=False), State.PUSHED),  # a person had released it
    ],
)
def test_a_finished_run(workspace: Path, passed: bool, pushed: Pushed | None, state: State) -> None:
    record = read_record(run(workspace, "1", outcome=outcome(passed, pushed)))
    assert record.state is state
    assert [(step.name, step.seconds, step.cached) for step in record.steps] == [("Maker", 1.3, False)]
    assert record.artifacts == {"Maker.model": f"{workspace}/artifacts/Maker/1"}
    assert record.inputs == {"span": "7", "key_id": "beef"}
    assert (record.pushed and record.pushed.version) == (pushed and 3)
    assert record.versions["tfx"]


@pytest.mark.parametrize(
    ("error", "state", "step"),
    [
        (StepFailedError("Trainer", MemoryError("too large")), State.FAILED, "Trainer"),
        (DataError("no such folder"), State.FAILED, ""),
        (KeyboardInterrupt(), State.INTERRUPTED, ""),
    ],
)
def test_a_run_that_fails_has_a_record_and_a_report(
    workspace: Path, error: BaseException, state: State, step: str
) -> None:
    with pytest.raises(type(error)):
        run(workspace, "1", error)
    record = read_record(workspace / "runs" / "1")
    assert (record.state, record.failed_step) == (state, step)
    assert record.ended
    page = (workspace / "runs" / "1" / REPORT_FILE).read_text()
    assert check_page(page).find("h2")[0].text.startswith("The run ")


def test_the_error_names_the_report(workspace: Path) -> None:
    with pytest.raises(DataError, match=rf"no such folder\nReport: {workspace}/runs/1/report.html"):
        run(workspace, "1", DataError("no such folder"))


def test_a_refusal_of_the_data_gate_keeps_its_decision(workspace: Path) -> None:
    refused = DataRefusedError(DECISION)
    failed = StepFailedError("DataGate", refused)
    failed.__cause__ = refused
    with pytest.raises(StepFailedError):
        run(workspace, "1", failed)
    record = read_record(workspace / "runs" / "1")
    assert record.state is State.DATA_REFUSED
    assert record.data_decision == DECISION
    assert "too many nulls" in (workspace / "runs" / "1" / REPORT_FILE).read_text()


def test_a_report_that_cannot_be_written_fails_nothing(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> str:
        raise OSError("disk full")

    monkeypatch.setattr(pipeline.reports, "render", refuse)
    folder = run(workspace, "1", outcome=outcome(True, None))
    assert capsys.readouterr().err == "The report could not be written: OSError: disk full\n"
    assert read_record(folder).state is State.HELD
    assert not (folder / REPORT_FILE).exists()
    with pytest.raises(DataError, match=r"no such folder$"):
        run(workspace, "2", DataError("no such folder"))


def test_a_broken_artifact_is_told_of(workspace: Path) -> None:
    folder = run(workspace, "1", outcome=outcome(True, None))
    record = json.loads((folder / "run.json").read_text())
    record["artifacts"] |= {"Flows.flows": str(workspace), "Comparison.comparison": str(workspace)}
    (folder / "run.json").write_text(json.dumps(record))
    report = pipeline.reports.gather(folder, workspace / "served")
    assert [problem.split(" in ")[0] for problem in report.problems] == ["Comparison.comparison"] * 2 + ["Flows.flows"]


def hold(workspace: Path, held: "multiprocessing.synchronize.Event", free: "multiprocessing.synchronize.Event") -> None:
    with locked(workspace):
        Recorder(workspace / "runs" / "2", "shop", {})
        held.set()
        free.wait(30)


def test_a_killed_run_was_interrupted(workspace: Path) -> None:
    Recorder(workspace / "runs" / "1", "shop", {})
    context = multiprocessing.get_context("fork")
    held, free = context.Event(), context.Event()
    process = context.Process(target=hold, args=(workspace, held, free))
    process.start()
    held.wait(30)
    assert [record.state for record in list_records(workspace)] == [State.RUNNING, State.INTERRUPTED]
    process.kill()
    process.join(30)
    assert [record.state for record in list_records(workspace)] == [State.INTERRUPTED, State.INTERRUPTED]


def test_runs_are_listed_newest_first(workspace: Path) -> None:
    run(workspace, "20260101-000000-000000", outcome=outcome(True, Pushed(3, Path("/w/3"), is_new=True)))
    with pytest.raises(StepFailedError):
        run(workspace, "20260102-000000-000000", StepFailedError("Trainer", MemoryError("too large")))
    found = json.loads(invoke(workspace, "runs", "--json").stdout)["runs"]
    assert [(entry["state"], entry["version"], entry["failed_step"]) for entry in found] == [
        ("failed", None, "Trainer"),
        ("pushed", 3, None),
    ]
    assert found[1]["span"] == "7"
    assert found[1]["report"] == f"{workspace}/runs/20260101-000000-000000/report.html"
    shown = invoke(workspace, "runs").stdout
    assert shown.index("failed at Trainer") < shown.index("pushed")
    assert f"Newest report: {workspace}/runs/20260102-000000-000000/report.html" in shown


def test_no_run_yet(workspace: Path) -> None:
    assert "No run yet." in invoke(workspace, "runs").stdout
    assert json.loads(invoke(workspace, "runs", "--json").stdout) == {"runs": []}
    missing = invoke(workspace, "report")
    assert missing.exit_code == 2
    assert f"expected a run in {workspace}, found none" in missing.stderr


def test_a_report_is_written_again(workspace: Path, tmp_path: Path) -> None:
    folder = run(workspace, "1", outcome=outcome(True, None))
    run(workspace, "2", outcome=outcome(True, None))
    written = (folder / REPORT_FILE).read_text()
    again = invoke(workspace, "report", "--run", "1", "--output", str(tmp_path / "page.html"))
    assert again.exit_code == 0, again.output
    assert again.stdout == f"Report: {tmp_path}/page.html\n"
    assert (tmp_path / "page.html").read_text() == written
    assert json.loads(invoke(workspace, "report", "--json").stdout) == {"report": f"{workspace}/runs/2/report.html"}
    assert find_run(workspace, None).name == "2"
    assert invoke(workspace, "report", "--run", "9").exit_code == 2


def test_a_damaged_record_is_named(workspace: Path) -> None:
    folder = run(workspace, "1", outcome=outcome(True, None))
    (folder / "run.json").write_text("{")
    with pytest.raises(DataError, match=rf"expected the record of a run in {folder}"):
        read_record(folder)
    run(workspace, "2", outcome=outcome(True, None))
    assert [record.state for record in list_records(workspace)] == [State.HELD, State.UNREADABLE]
    assert "unreadable" in invoke(workspace, "runs").stdout
