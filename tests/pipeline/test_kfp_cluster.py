"""The runner of compiled pipelines, on a pipeline of a few lines: failures, restarts, caching, the exit handler."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp_checks import RejectedError
from kfp_cluster import Cluster, Run
from kfp_pods import Processes
from tfx.orchestration.kubeflow.decorators import FinalStatusStr
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as tfx_runner
from tfx.orchestration.pipeline import Pipeline
from tiny_components import Maker, Taker

from components.run_verdict import TellVerdict
from pipeline.kubeflow.compile import COMMAND
from pipeline.kubeflow.lifting import lift_parameters
from pipeline.kubeflow.platform import make_platform
from pipeline.kubeflow.repairs import repair
from pipeline.kubeflow.resources import give_resources
from pipeline.kubeflow.settings import KubeflowSettings
from pipeline.kubeflow.variables import RUNS


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with Processes() as started:
        yield started


@pytest.fixture
def cluster(tmp_path: Path, processes: Processes) -> Cluster:
    return Cluster(tmp_path / "cluster", processes, {"secret": {"key": "value"}})


def compile_tiny(folder: Path, text: str = "once", **settings: Any) -> dict[str, Any]:
    maker = Maker(text=text)
    taker = Taker(folder=str(folder), model=maker.outputs["model"])
    pipeline = Pipeline(pipeline_name="tiny", pipeline_root="", components=[maker, taker])
    config = tfx_runner.KubeflowV2DagRunnerConfig(
        default_image="image", default_commands=list(COMMAND), use_pipeline_spec_2_1=True
    )
    runner = tfx_runner.KubeflowV2DagRunner(config)
    handler = TellVerdict(run="{{$.pipeline_job_uuid}}", runs=str(folder / "runs"), status=FinalStatusStr())
    runner.set_exit_handler(handler)
    spec: dict[str, Any] = copy.deepcopy(runner.run(pipeline, write_out=False)["pipelineSpec"])
    spec["defaultPipelineRoot"] = "s3://bucket/root"
    found = KubeflowSettings.from_values({"image": "image", **settings}, source="kubeflow")
    repair(spec)
    lift_parameters(spec)
    support = str(Path(__file__).parents[1] / "support")
    environment = {RUNS: str(folder / "runs"), "PYTHONPATH": f"{Path(__file__).parents[2]}:{support}"}
    give_resources(spec, found, environment)
    return {"spec": spec, "platform": make_platform(spec, found)}


def run(cluster: Cluster, compiled: dict[str, Any]) -> Run:
    return cluster.run(yaml.safe_dump_all(compiled.values()))


def states(found: Run) -> dict[str, str]:
    return {name: task.state for name, task in found.tasks.items()}


def verdict(folder: Path, found: Run) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "runs" / found.name / "verdict.json").read_text())
    return values


def test_artifacts_go_through_the_store_and_steps_are_reused(tmp_path: Path, cluster: Cluster) -> None:
    first = run(cluster, compile_tiny(tmp_path))
    assert states(first) == {"Maker": "COMPLETE", "Taker": "COMPLETE", "TellVerdict": "COMPLETE"}
    copied = cluster.path(first.tasks["Taker"].outputs["copy"]["uri"])
    assert (copied / "text").read_text() == "once twice"
    assert first.tasks["Taker"].outputs["copy"]["uri"].startswith("s3://bucket/root/tiny/")
    again = run(cluster, compile_tiny(tmp_path))
    assert states(again) == {"Maker": "CACHED", "Taker": "CACHED", "TellVerdict": "COMPLETE"}
    other = run(cluster, compile_tiny(tmp_path, "other"))
    assert states(other)["Maker"] == "COMPLETE"


def test_a_failed_step_says_why_and_the_exit_handler_tells_it(tmp_path: Path, cluster: Cluster) -> None:
    (tmp_path / "fail").touch()
    found = run(cluster, compile_tiny(tmp_path))
    assert found.state == "FAILED"
    assert states(found) == {"Maker": "COMPLETE", "Taker": "FAILED", "TellVerdict": "COMPLETE"}
    told = verdict(tmp_path, found)
    assert (told["state"], told["failed_step"], told["exit_code"]) == ("failed", "Taker", 2)
    assert told["error"] == "DataError: expected a better input"
    assert "expected a better input" in found.tasks["Taker"].log.read_text()


def test_a_killed_step_is_started_again_and_then_the_run_fails(tmp_path: Path, cluster: Cluster) -> None:
    (tmp_path / "die").touch()
    found = run(cluster, compile_tiny(tmp_path, steps={"Taker": {"retries": {"count": 1}}}))
    assert found.tasks["Taker"].attempts == 2
    assert states(found)["Taker"] == "FAILED"
    assert verdict(tmp_path, found)["failed_step"] == ""


def test_a_process_of_its_own_does_the_same(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFP_PODS", "subprocess")
    compiled = compile_tiny(tmp_path)
    del compiled["spec"]["components"]["tfx-dag"]["dag"]["tasks"]["Taker"]
    found = run(cluster, compiled)
    assert states(found)["Maker"] == "COMPLETE", found.tasks["Maker"].log.read_text()
    assert (cluster.path(found.tasks["Maker"].outputs["model"]["uri"]) / "text").read_text() == "once"


def test_a_plain_path_as_address_is_what_the_backend_cannot_open(tmp_path: Path, cluster: Cluster) -> None:
    number = cluster.store.record("model", {"uri": str(tmp_path)})
    with pytest.raises(RejectedError, match="unrecognized uri format"):
        cluster.store.input(number)


def test_a_parameter_that_the_pipeline_has_not_is_refused(tmp_path: Path, cluster: Cluster) -> None:
    with pytest.raises(RejectedError, match="not required by pipeline"):
        cluster.run(yaml.safe_dump_all(compile_tiny(tmp_path).values()), {"nothing": 1})


def test_a_missing_secret_keeps_the_pod_from_starting(tmp_path: Path, cluster: Cluster) -> None:
    secret = {"secret": "other", "variables": {"X": "key"}}
    with pytest.raises(LookupError, match="secret other not found"):
        run(cluster, compile_tiny(tmp_path, steps={"Maker": {"secrets": [secret]}}))
