"""Runs that choose a base and push their result: which steps are answered from cache."""

import io
import json
import shutil
from pathlib import Path

from tfx.orchestration.pipeline import Pipeline
from tiny_components import Learner

from components.base_model import BaseModel
from interest_migration.model.manifest import MANIFEST_FILE
from interest_migration.serving.bases import find_base
from interest_migration.serving.versions import push_version
from pipeline.local import ProgressRunner
from pipeline.metadata import metadata_config
from pipeline.terminal import Progress


class Workspace:
    """Runs and a push directory."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.served, self.runs = folder, folder / "served", 0

    def run(self, data: str) -> tuple[str, list[bool]]:
        """Runs on a log and pushes; returns the base, and of both steps whether they were answered from cache."""
        self.runs += 1
        base = BaseModel(directory=str(self.served), data=data, run_token=find_base(self.served, data).name)
        learner = Learner(data=data, base=base.outputs["model"])
        pipeline = Pipeline(
            pipeline_name="tiny",
            pipeline_root=str(self.folder / "artifacts"),
            components=[base, learner],
            enable_cache=True,
            metadata_connection_config=metadata_config(self.folder),
        )
        steps = ProgressRunner(str(self.runs), Progress(io.StringIO(), 2)).run(pipeline)
        model = Path(steps["Learner"].output("model").uri)
        push_version(model, self.served, keep=5)
        name = json.loads((model / MANIFEST_FILE).read_text())["provenance"]["base"]
        return name, [step.cached for step in steps.values()]


def test_a_second_run_finds_the_base_of_the_first(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert workspace.run("monday") == ("", [False, False])
    assert workspace.run("monday") == ("", [True, True])
    base, cached = workspace.run("tuesday")
    assert base.startswith("1-")
    assert cached == [False, False]
    assert workspace.run("tuesday") == (base, [True, True])
    assert sorted(path.name for path in workspace.served.iterdir()) == ["1", "2"]
    later, cached = workspace.run("wednesday")
    assert later.startswith("2-")
    assert cached == [False, False]


def test_a_base_that_is_served_no_longer_changes_nothing(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.run("monday")
    base, _ = workspace.run("tuesday")
    shutil.rmtree(workspace.served / "1")
    assert workspace.run("tuesday") == (base, [True, True])
