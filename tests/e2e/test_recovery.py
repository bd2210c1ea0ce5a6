"""Runs that are killed or find a full disk can be run again, and end as if nothing had happened."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from small_shop import Shop, call

import components.ingestion
import pipeline.cli
from interest_migration.serving.model_directory import FILE_LIST
from pipeline.artifact_store import ArtifactStore

pytestmark = pytest.mark.e2e

KILLER = Path(__file__).parents[1] / "support" / "killed_run.py"


def measured(outcome: str) -> list[dict[str, object]]:
    (report,) = Path(json.loads(outcome)["artifacts"]["comparison"]).glob("*.json")
    figures: list[dict[str, object]] = json.loads(report.read_text())["values"]
    return figures


def content(version: Path) -> dict[str, bytes]:
    """All but the graph: how TensorFlow writes that down, and so its digest, differs from process to process."""
    files = (path for path in version.rglob("*") if path.is_file() and path.suffix != ".pb")
    found = {str(path.relative_to(version)): path.read_bytes() for path in files}
    digests = json.loads(found.pop(FILE_LIST))
    return found | {f"{FILE_LIST} {name}": str(told).encode() for name, told in digests.items() if name[-3:] != ".pb"}


def copy_shop(shop: Shop, folder: Path) -> Path:
    """The same shop with the same key, before its first run."""
    (folder / "workspace").mkdir(parents=True)
    for name in ("config.yaml", "mapping.yaml", "gates.yaml", "data", "workspace/pseudonym.key"):
        source = shop.folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder


def leftovers(workspace: Path) -> list[Path]:
    """What no finished step has made."""
    unknown = (folder.path for folder in ArtifactStore(workspace).folders() if not folder.type_name)
    half_written = [path for path in unknown if any(path.iterdir())]
    names: Iterable[str] = (".temp", ".removed", ".pushing-*", ".pseudonym.key.*", "spill")
    temporary = [path for name in names for path in workspace.rglob(name)]
    return [*half_written, *temporary, *workspace.glob("artifacts/*/.system/stateful_working_dir/*")]


def test_a_run_killed_at_every_step_ends_as_if_uninterrupted(shop: Shop, tmp_path: Path) -> None:
    folder = copy_shop(shop, tmp_path / "shop")
    steps = list(json.loads(shop.first.stdout)["steps"])
    environment = os.environ | {"PYTHONPATH": str(Path(pipeline.cli.__file__).parents[1])}
    killed = subprocess.run(
        [sys.executable, str(KILLER), str(folder / "config.yaml"), *steps],
        capture_output=True,
        text=True,
        env=environment,
        timeout=1800,
        check=False,
    )
    assert killed.returncode == 0, killed.stderr
    outcome = json.loads(killed.stdout)
    assert outcome["pushed"]["version"] == 1
    assert measured(killed.stdout) == measured(shop.first.stdout)  # the same seed and input give the same metrics
    (version,) = (folder / "workspace" / "served" / "interests").iterdir()
    assert content(version) == content(next(shop.versions.iterdir()))
    assert len(list((folder / "workspace" / "runs").iterdir())) == len(steps) + 1
    assert leftovers(folder / "workspace") == []


def test_a_full_disk_ends_cleanly_and_the_run_can_go_on(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_shop(shop, tmp_path / "shop")

    def write_to_full_disk(_: Path, records: Iterable[bytes]) -> None:
        with Path("/dev/full").open("wb") as file:
            file.writelines(records)

    with monkeypatch.context() as patch:
        patch.setattr(components.ingestion, "write_tfrecords", write_to_full_disk)
        full = call("run", "--config", folder / "config.yaml")
    assert full.exit_code == 1, full.output
    assert "A disk is full" in full.output
    assert "run again: finished steps are reused" in full.output
    assert not list((folder / "workspace").glob("served/interests/*"))
    ArtifactStore(folder / "workspace").remove_leftovers()  # as the next run does first
    assert leftovers(folder / "workspace") == []
    assert not list((folder / "workspace").rglob("Split-*"))


def test_a_push_directory_that_cannot_be_used_is_found_at_once(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    runs = len(list((shop.folder / "workspace" / "runs").iterdir()))
    result = call("run", "--config", shop.folder / "config.yaml", "--set", f"push.directory={tmp_path / 'file'}")
    assert result.exit_code == 2
    assert "Set push.directory to another place" in result.output
    assert len(list((shop.folder / "workspace" / "runs").iterdir())) == runs
