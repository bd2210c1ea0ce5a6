import io
import multiprocessing
import signal
from pathlib import Path

import pytest
from tfx.orchestration.pipeline import Pipeline
from tiny_components import Maker, Taker

from interest_migration.errors import DataError
from pipeline.commands.ending import BAD_INPUT, code_of
from pipeline.local import ProgressRunner
from pipeline.metadata import metadata_config
from pipeline.steps import Step, StepFailedError
from pipeline.terminal import Progress


def run(workspace: Path, run_id: str, terminal: io.StringIO | None = None) -> dict[str, Step]:
    maker = Maker(text="hello")
    taker = Taker(folder=str(workspace), model=maker.outputs["model"])
    pipeline = Pipeline(
        pipeline_name="tiny",
        pipeline_root=str(workspace / "artifacts"),
        components=[maker, taker],
        enable_cache=True,
        metadata_connection_config=metadata_config(workspace),
    )
    return ProgressRunner(run_id, Progress(terminal or io.StringIO(), 2)).run(pipeline)


def read(step: Step, key: str) -> str:
    return (Path(step.output(key).uri) / "text").read_text()


def test_steps_and_their_outputs(tmp_path: Path) -> None:
    terminal = io.StringIO()
    steps = run(tmp_path, "1", terminal)
    assert list(steps) == ["Maker", "Taker"]
    assert read(steps["Taker"], "copy") == "hello twice"
    lines = terminal.getvalue().splitlines()
    assert [line.rsplit(" ", 2)[0] for line in lines] == ["[ 1/2] Maker ...", "[ 2/2] Taker ..."]


def test_unchanged_steps_are_reused_with_their_outputs(tmp_path: Path) -> None:
    first, terminal = run(tmp_path, "1"), io.StringIO()
    second = run(tmp_path, "2", terminal)
    assert [step.cached for step in first.values()] == [False, False]
    assert [step.cached for step in second.values()] == [True, True]
    assert second["Taker"].output("copy").uri == first["Taker"].output("copy").uri
    assert terminal.getvalue() == "[ 1/2] Maker ... reused\n[ 2/2] Taker ... reused\n"


def test_a_failing_step_is_named_and_keeps_the_cause(tmp_path: Path) -> None:
    (tmp_path / "fail").touch()
    terminal = io.StringIO()
    with pytest.raises(StepFailedError, match="Taker failed: expected a better input") as error:
        run(tmp_path, "1", terminal)
    assert error.value.step == "Taker"
    assert isinstance(error.value.__cause__, DataError)
    assert code_of(error.value) == BAD_INPUT
    assert terminal.getvalue().endswith("[ 2/2] Taker ... failed\n")


def test_after_a_failure_the_run_goes_on_where_it_ended(tmp_path: Path) -> None:
    (tmp_path / "fail").touch()
    with pytest.raises(StepFailedError):
        run(tmp_path, "1")
    (tmp_path / "fail").unlink()
    steps = run(tmp_path, "2")
    assert [step.cached for step in steps.values()] == [True, False]
    assert read(steps["Taker"], "copy") == "hello twice"


def test_a_killed_run_can_be_run_again(tmp_path: Path) -> None:
    (tmp_path / "die").touch()
    process = multiprocessing.get_context("fork").Process(target=run, args=(tmp_path, "1"))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    (tmp_path / "die").unlink()
    steps = run(tmp_path, "2")
    assert [step.cached for step in steps.values()] == [True, False]
    assert read(steps["Taker"], "copy") == "hello twice"
