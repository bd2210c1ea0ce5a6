"""The compiled pipeline, run as a cluster would run it, beside local runs of the same spans.

One compiled file serves all runs of a span; what differs is told by its parameters.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp_cluster import Cluster, Run
from kfp_pods import Processes
from small_shop import RULE, call, write_yaml
from span_chain import WEEKS, Chain
from span_shop import change_rows, open_span_shop, week

from interest_migration.evaluation.measures import Measures
from interest_migration.gates.judge import judge
from interest_migration.gates.settings import GateSettings
from pipeline.config import load_config
from pipeline.kubeflow.lookup import look_up
from pipeline.kubeflow.parameters import runtime_parameters
from pipeline.run import read_plan

pytestmark = pytest.mark.e2e

CHURN = {"name": "churn is told", "task": "churn_short", "metric": "auc", "at_least": 0.6}
SECRET = {"secret": "interest-migration", "variables": {"INTEREST_MIGRATION_KEY": "pseudonym-key"}}


@dataclass(frozen=True)
class Compiled:
    """A first span, the next one from the same file, and that with other people's events."""

    folder: Path
    cluster: Cluster
    first: Run
    second: Run
    shuffled: Run

    def note(self, run: Run, name: str) -> dict[str, Any]:
        values: dict[str, Any] = json.loads((self.folder / "workspace" / "runs" / run.name / name).read_text())
        return values

    def output(self, run: Run, step: str, name: str) -> Path:
        return self.cluster.path(run.tasks[step].outputs[name]["uri"])

    @property
    def versions(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "workspace" / "served" / "interests").iterdir())


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory, chain: Chain) -> Iterator[Compiled]:
    folder = tmp_path_factory.mktemp("kubeflow")
    config = add_kubeflow(open_span_shop(folder, WEEKS))
    key = (chain.folder / "workspace" / "pseudonym.key").read_text().strip()
    with pytest.MonkeyPatch.context() as patch, Processes() as processes:
        patch.setenv("INTEREST_MIGRATION_KEY", key)  # as whoever submits has it
        cluster = Cluster(folder / "cluster", processes, {"interest-migration": {"pseudonym-key": key}})
        text = compile_span(config, week(WEEKS - 2))
        first = cluster.run(text)
        second = cluster.run(text, parameters_of(config))
        for file in (folder / "data" / "events").glob("*/log.csv"):
            swap_users(file)
        gates = write_yaml(folder / "strict.yaml", {"slices": [], "rules": [RULE, CHURN]})
        strict = ("--set", f"gates={gates}", "--set", "kubeflow.fail_when_refused=true")
        shuffled = cluster.run(compile_span(config, week(WEEKS - 1), *strict))
        yield Compiled(folder, cluster, first, second, shuffled)


def add_kubeflow(config: Path) -> Path:
    values = yaml.safe_load(config.read_text())
    mounts = [{"claim": "shop", "path": str(config.parent)}]
    values["kubeflow"] = {
        "image": "registry.example/interest-migration@sha256:0",
        "pipeline_root": "minio://mlpipeline/v2/artifacts",
        "defaults": {"mounts": mounts},
        "steps": {"BehaviorExampleGen": {"secrets": [SECRET]}},
    }
    return write_yaml(config, values)


def compile_span(config: Path, span: object, *options: str) -> str:
    output = config.with_name("pipeline.yaml")
    done = call("compile", "--config", config, "--span", span, "--output", output, *options)
    assert done.exit_code == 0, done.output
    return output.read_text()


def parameters_of(config: Path) -> dict[str, Any]:
    plan = read_plan(load_config(config))
    return dict(runtime_parameters(plan, look_up(plan)))


def swap_users(file: Path) -> None:
    """Gives every event of a week to a user of another one: no label has to do with a history any more."""
    users: list[str] = []
    change_rows(file, lambda row: users.append(row["user"]) or row)
    random.Random(file.parent.name).shuffle(users)
    change_rows(file, lambda row: {**row, "user": users.pop()})


def log_of(run: Run) -> str:
    failed = [task.log.read_text()[-3000:] for task in run.tasks.values() if task.state == "FAILED"]
    return "\n".join(failed)


def test_the_first_run_pushes_version_1_against_no_baseline(compiled: Compiled) -> None:
    assert compiled.first.state == "SUCCEEDED", log_of(compiled.first)
    verdict = compiled.note(compiled.first, "verdict.json")
    assert (verdict["state"], verdict["version"], verdict["exit_code"]) == ("pushed", 1, 0)
    assert compiled.note(compiled.first, "outcome.json")["served_before"] is None
    assert list(compiled.first.tasks)[-1] == "TellVerdict"


def test_the_next_span_is_judged_against_version_1(compiled: Compiled, chain: Chain) -> None:
    assert compiled.second.state == "SUCCEEDED", log_of(compiled.second)
    outcome = compiled.note(compiled.second, "outcome.json")
    local = json.loads(chain.second.stdout)
    assert outcome["served_before"] == local["decision"]["served_version"] == 1
    assert outcome["version"] == local["pushed"]["version"] == 2
    assert outcome["reasons"] == local["decision"]["reasons"] == []


def test_its_data_are_compared_with_those_of_the_first(compiled: Compiled) -> None:
    decision = json.loads((compiled.output(compiled.second, "DataGate", "decision") / "decision.json").read_text())
    assert any(note.startswith(f"Compared with: {week(WEEKS - 2)}") for note in decision["notes"])


def test_only_what_has_not_changed_is_answered_from_the_cache(compiled: Compiled) -> None:
    states = {name for name, task in compiled.second.tasks.items() if task.state == "CACHED"}
    assert states == {"ImportSchemaGen"}


@pytest.mark.parametrize("which", ["first", "second"])
def test_local_and_compiled_runs_measure_the_same(compiled: Compiled, chain: Chain, which: str) -> None:
    local = Path(json.loads(getattr(chain, which).stdout)["artifacts"]["comparison"])
    there = compiled.output(getattr(compiled, which), "Comparison", "comparison")
    ours, theirs = (json.loads((place / "comparison.json").read_text())["values"] for place in (local, there))
    assert len(ours) == len(theirs) > 50
    for mine, other in zip(ours, theirs, strict=True):
        numbers = {name for name, value in mine.items() if isinstance(value, float)}
        assert {k: v for k, v in mine.items() if k not in numbers} == {
            k: v for k, v in other.items() if k not in numbers
        }
        assert [mine[name] for name in numbers] == pytest.approx(
            [other[name] for name in numbers], abs=1e-6, nan_ok=True
        )


def test_with_other_peoples_events_the_run_fails_as_configured_and_pushes_nothing(compiled: Compiled) -> None:
    assert compiled.shuffled.state == "FAILED"
    assert {name for name, task in compiled.shuffled.tasks.items() if task.state == "FAILED"} == {"Verdict"}
    assert compiled.versions == ["1", "2"]
    verdict = compiled.note(compiled.shuffled, "verdict.json")
    assert (verdict["state"], verdict["exit_code"]) == ("refused by the model gate", 3)
    assert (verdict["orchestrator"], verdict["failed_step"]) == ("FAILED", "Verdict")
    assert any("churn is told" in reason or "churn" in reason for reason in verdict["reasons"])
    assert compiled.shuffled.tasks["TellVerdict"].state == "COMPLETE"
    assert "verdict: " in compiled.shuffled.tasks["TellVerdict"].log.read_text()


def test_the_gate_that_refused_it_would_have_passed_the_others(compiled: Compiled) -> None:
    rules = GateSettings.from_values({"rules": [RULE, CHURN]}, source="gates")
    measures = Measures.read(compiled.output(compiled.second, "ModelGate", "decision"))
    assert judge(measures, rules).passed


def test_the_ui_gets_page_numbers_and_curves(compiled: Compiled) -> None:
    outputs = compiled.second.tasks["RunReport"].outputs
    page = compiled.output(compiled.second, "RunReport", "report").read_text()
    assert "The model was pushed as version 2" in page
    assert "What could not be read" not in page
    assert 0.5 < outputs["scalars"]["metadata"]["churn_short_auroc"] <= 1
    points = outputs["churn_short"]["metadata"]["confidenceMetrics"]["list"]
    assert points[-1]["recall"] == 1.0
    matrix = outputs["categories"]["metadata"]["confusionMatrix"]["struct"]
    assert len(matrix["rows"]) == len(matrix["annotationSpecs"]) > 2


def test_no_key_and_no_user_is_in_what_is_sent(compiled: Compiled) -> None:
    text = (compiled.folder / "pipeline.yaml").read_text()
    assert compiled.cluster.secrets["interest-migration"]["pseudonym-key"] not in text
    assert "customer-" not in text
