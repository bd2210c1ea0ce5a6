"""The compiled pipeline over the spans of the small platform, run as a cluster would run it.

One compiled file serves both spans; what differs is told by its parameters.
"""

import csv
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp_cluster import Cluster, Run
from kfp_pods import Processes
from small_shop import RULE, call, write_yaml
from span_chain import WEEKS
from span_shop import change_rows, open_span_shop, week

from pipeline.config import load_config
from pipeline.kubeflow.compile import compile_pipeline
from pipeline.kubeflow.lookup import look_up_run

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


def run_compiled(folder: Path, key: str, processes: Processes, patch: pytest.MonkeyPatch) -> Compiled:
    """Makes the runs.

    Args:
      folder: Of the platform.
      key: The pseudonym key, as hexadecimal digits.
      processes: Starts containers.
      patch: Sets the key for whoever submits.
    """
    config = add_kubeflow(open_span_shop(folder, WEEKS))
    patch.setenv("INTEREST_MIGRATION_KEY", key)
    cluster = Cluster(folder / "cluster", processes, {"interest-migration": {"pseudonym-key": key}})
    text = compile_span(config, week(WEEKS - 2))
    first = cluster.run(text)
    second = cluster.run(text, parameters_of(config))
    with (folder / "whole.csv").open(encoding="utf-8") as log:
        users = sorted({row["user"] for row in csv.DictReader(log)})
    for file in (folder / "data" / "events").glob("*/log.csv"):
        swap_users(file, users)
    gates = write_yaml(folder / "strict.yaml", {"slices": [], "rules": [RULE, CHURN]})
    strict = ("--set", f"gates={gates}", "--set", "data_gates=null", "--set", "kubeflow.fail_when_refused=true")
    shuffled = cluster.run(compile_span(config, week(WEEKS - 1), *strict), {"training_epochs": 1})
    return Compiled(folder, cluster, first, second, shuffled)


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
    return dict(compile_pipeline(*look_up_run(load_config(config), None, without_data=False)).parameters)


def swap_users(file: Path, users: list[str]) -> None:
    """Gives the events of a week to other users, each week to others: nobody's future has to do with their past."""
    others = random.Random(file.parent.name).sample(users, len(users))
    names = dict(zip(users, others, strict=True))
    change_rows(file, lambda row: {**row, "user": names[row["user"]]})


def log_of(run: Run) -> str:
    failed = [task.log.read_text()[-3000:] for task in run.tasks.values() if task.state == "FAILED"]
    return "\n".join(failed)
