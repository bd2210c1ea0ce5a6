"""Which artifacts stay, on tiny pipelines: examples -> (nothing), model -> copy -> served version."""

import datetime
import io
import json
import multiprocessing
import signal
from pathlib import Path

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.pipeline import Pipeline
from tiny_components import Maker, Push, Rows, Taker

from interest_migration.errors import DataError
from pipeline.artifact_store import ArtifactStore
from pipeline.config import PipelineConfig, RetentionSettings
from pipeline.local import ProgressRunner
from pipeline.metadata import metadata_config
from pipeline.retention import about_users, expired, measure, remove
from pipeline.steps import Step
from pipeline.terminal import Progress
from pipeline.workspace import locked, reading

RUNS = ("20260101-000000-000000", "20260102-000000-000000", "20260103-000000-000000")


def config_of(workspace: Path, **retention: float) -> PipelineConfig:
    return PipelineConfig(
        name="tiny",
        workspace=workspace,
        data={"mapping": "m.yaml"},
        gates="g.yaml",
        retention=RetentionSettings.from_values(retention, source="test"),
    )


def run(workspace: Path, run_id: str, text: str, push: bool = False, finished: bool = True) -> dict[str, Step]:
    """Runs the tiny pipeline; `text` decides what is made anew."""
    rows, maker = Rows(text=text), Maker(text=text)
    components = [rows, maker, Taker(folder=str(workspace), model=maker.outputs["model"])]
    if push:
        served = str(config_of(workspace).served_directory)
        components.append(Push(served=served, model=components[2].outputs["copy"]))
    pipeline = Pipeline(
        pipeline_name="tiny",
        pipeline_root=str(workspace / "artifacts"),
        components=components,
        enable_cache=True,
        metadata_connection_config=metadata_config(workspace),
    )
    folder = workspace / "runs" / run_id
    folder.mkdir(parents=True)
    (folder / "log.txt").touch()
    steps: dict[str, Step] = ProgressRunner(run_id, Progress(io.StringIO(), 4)).run(pipeline)
    if finished:
        (folder / "outcome.json").write_text(json.dumps({"artifacts": {"model": "..."}}))
    return steps


def places(steps: dict[str, Step]) -> set[Path]:
    return {Path(artifact.uri) for step in steps.values() for outputs in step.outputs.values() for artifact in outputs}


def on_disk(workspace: Path) -> set[Path]:
    return {folder.path for folder in ArtifactStore(workspace).folders()}


def purge(workspace: Path, **retention: float) -> None:
    with locked(workspace):
        remove(workspace, expired(config_of(workspace, **retention)))


def states(workspace: Path) -> dict[str, int]:
    store = ml_metadata.MetadataStore(metadata_config(workspace))
    return {artifact.uri: artifact.state for artifact in store.get_artifacts()}


def test_the_newest_runs_keep_what_they_made_and_what_they_reused(tmp_path: Path) -> None:
    old = run(tmp_path, RUNS[0], "one")
    run(tmp_path, RUNS[1], "two")
    again = run(tmp_path, RUNS[2], "one")  # answered from the oldest run
    assert places(again) == places(old)
    purge(tmp_path, runs=1)
    assert on_disk(tmp_path) == places(old)
    assert len(list(tmp_path.glob("runs/*/outcome.json"))) == 3
    assert not (tmp_path / "artifacts" / ".removed").exists()


def test_what_is_removed_is_made_again_and_known_as_deleted(tmp_path: Path) -> None:
    old = run(tmp_path, RUNS[0], "one")
    run(tmp_path, RUNS[1], "two")
    purge(tmp_path, runs=1)
    assert {states(tmp_path)[str(path)] for path in places(old)} == {metadata_store_pb2.Artifact.DELETED}
    again = run(tmp_path, RUNS[2], "one")
    assert not any(step.cached for step in again.values())
    assert all(path.is_dir() for path in places(again))


def test_without_settings_everything_stays(tmp_path: Path) -> None:
    made = places(run(tmp_path, RUNS[0], "one")) | places(run(tmp_path, RUNS[1], "two"))
    purge(tmp_path)
    assert on_disk(tmp_path) == made


def test_young_runs_stay_however_many(tmp_path: Path) -> None:
    now = datetime.datetime.now(tz=datetime.UTC)
    ids = [(now - datetime.timedelta(days=days)).strftime("%Y%m%d-%H%M%S-%f") for days in (9, 2, 1)]
    made = [places(run(tmp_path, run_id, text)) for run_id, text in zip(ids, "abc", strict=True)]
    purge(tmp_path, days=7)
    assert on_disk(tmp_path) == made[1] | made[2]
    purge(tmp_path, runs=3, days=0.5)
    assert on_disk(tmp_path) == made[1] | made[2]
    purge(tmp_path, runs=1, days=0.5)
    assert on_disk(tmp_path) == made[2]


def test_failed_runs_count_for_nothing_and_the_newest_can_be_gone_on_with(tmp_path: Path) -> None:
    finished = places(run(tmp_path, RUNS[0], "one"))
    failed = places(run(tmp_path, RUNS[1], "two", finished=False))
    purge(tmp_path, runs=1)
    assert on_disk(tmp_path) == finished | failed


def test_what_a_served_version_was_made_from_stays(tmp_path: Path) -> None:
    served = places(run(tmp_path, RUNS[0], "one", push=True))
    run(tmp_path, RUNS[1], "two")
    newest = places(run(tmp_path, RUNS[2], "three"))
    purge(tmp_path, runs=1)
    assert on_disk(tmp_path) == served | newest


def test_a_version_that_is_served_no_more_frees_its_run(tmp_path: Path) -> None:
    run(tmp_path, RUNS[0], "one", push=True)
    newest = places(run(tmp_path, RUNS[1], "two", push=True))
    version = config_of(tmp_path).served_directory / "1"
    version.rename(tmp_path / "retired")
    purge(tmp_path, runs=1)
    assert on_disk(tmp_path) == newest


def test_erasing_takes_examples_and_leaves_models(tmp_path: Path) -> None:
    steps = run(tmp_path, RUNS[0], "one")
    (examples,) = steps["Rows"].outputs["examples"]
    assert about_users(tmp_path).folders == (Path(examples.uri),)
    remove(tmp_path, about_users(tmp_path))
    assert on_disk(tmp_path) == places(steps) - {Path(examples.uri)}
    cached = {name: step.cached for name, step in run(tmp_path, RUNS[1], "one").items()}
    assert cached == {"Rows": False, "Maker": True, "Taker": True}


def test_nothing_is_removed_while_someone_reads(tmp_path: Path) -> None:
    made = places(run(tmp_path, RUNS[0], "one"))
    with reading(tmp_path), pytest.raises(DataError, match="another command evaluates them; nothing was removed"):
        remove(tmp_path, measure(ArtifactStore(tmp_path).folders()))
    assert on_disk(tmp_path) == made


def test_a_killed_run_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "die").touch()
    process = multiprocessing.get_context("fork").Process(target=run, args=(tmp_path, RUNS[0], "one"))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    half_written = [path for path in on_disk(tmp_path) if "Taker" in str(path)]
    assert half_written
    (tmp_path / "die").unlink()
    ArtifactStore(tmp_path).remove_leftovers()
    kept = on_disk(tmp_path)
    assert kept.isdisjoint(half_written)
    assert not list(tmp_path.rglob(".temp"))
    assert not list(tmp_path.glob("artifacts/*/.system/stateful_working_dir/*"))
    assert [step.cached for step in run(tmp_path, RUNS[1], "one").values()] == [True, True, False]
    assert kept < on_disk(tmp_path)


def test_a_removal_killed_half_way_is_finished_later(tmp_path: Path) -> None:
    made = places(run(tmp_path, RUNS[0], "one"))
    trash = tmp_path / "artifacts" / ".removed" / "killed"
    trash.mkdir(parents=True)
    (examples,) = (path for path in made if "Rows" in str(path))
    examples.rename(trash / "0")
    ArtifactStore(tmp_path).remove_leftovers()
    assert not trash.exists()
    assert states(tmp_path)[str(examples)] == metadata_store_pb2.Artifact.DELETED
    assert not run(tmp_path, RUNS[1], "one")["Rows"].cached


def test_a_workspace_without_runs_has_nothing_to_remove(tmp_path: Path) -> None:
    ArtifactStore(tmp_path).remove_leftovers()
    assert expired(config_of(tmp_path, runs=1)).folders == about_users(tmp_path).folders == ()
    assert not (tmp_path / "metadata.sqlite").exists()
