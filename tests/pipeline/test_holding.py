"""What surrounds a run: places are checked before, full disks are explained, artifacts are thinned out after."""

import errno
import multiprocessing
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from interest_migration.errors import DataError
from pipeline.commands.ending import BAD_INPUT, FAILED, code_of
from pipeline.config import PipelineConfig
from pipeline.holding import DiskFullError, check_places, holding
from pipeline.steps import StepFailedError
from pipeline.workspace import locked, reading

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def config(tmp_path: Path) -> PipelineConfig:
    return PipelineConfig(name="tiny", workspace=tmp_path / "w", data={"mapping": "m.yaml"}, gates="g.yaml")


def test_a_push_directory_that_cannot_be_written_is_found_before_the_work(config: PipelineConfig) -> None:
    config.workspace.mkdir()
    config.served_directory.parent.write_text("a file in place of the folder")
    with (
        pytest.raises(DataError, match=r"folder that can be written .* Set push.directory to another place"),
        holding(config),
    ):
        pytest.fail("the run began")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_push_directory_without_permission_is_found_before_the_work(config: PipelineConfig) -> None:
    config.served_directory.mkdir(parents=True)
    config.served_directory.chmod(0o555)
    for folder in (*config.workspace.parents, config.workspace):
        if folder.stat().st_uid == 0 and folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    process = multiprocessing.get_context("fork").Process(target=check_as_nobody, args=(config,))
    process.start()
    process.join(60)
    assert process.exitcode == 0


def check_as_nobody(config: PipelineConfig) -> None:
    os.setuid(65534)
    with pytest.raises(DataError, match=r"Permission denied\. Set push\.directory"):
        check_places(config)


def test_a_probe_leaves_nothing(config: PipelineConfig) -> None:
    config.workspace.mkdir()
    check_places(config)
    assert not list(config.served_directory.iterdir())


def test_too_little_space_is_found_before_the_work(config: PipelineConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**40, 2**40, 5 << 20))
    with pytest.raises(DataError, match=r"expected 256 MiB of free space or more .* received 5 MiB"), holding(config):
        pytest.fail("the run began")


def full_disk() -> None:
    """Raises what the kernel says of a full disk."""
    with Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")


def failed_step() -> None:
    try:
        full_disk()
    except OSError as error:
        raise StepFailedError("Transform", error) from error


def library_error() -> None:
    raise RuntimeError("RESOURCE_EXHAUSTED: /w/x; No space left on device")


@pytest.mark.parametrize("fail", [full_disk, failed_step, library_error])
def test_a_full_disk_is_explained(config: PipelineConfig, fail: object) -> None:
    with (
        pytest.raises(DiskFullError, match=r"A disk is full: .* run again: finished steps are reused") as caught,
        holding(config),
    ):
        fail()
    assert code_of(caught.value) == FAILED
    with locked(config.workspace):
        pass  # the workspace is free again


def test_other_errors_stay_as_they_are(config: PipelineConfig) -> None:
    with pytest.raises(DataError, match=r"^expected another log$") as caught, holding(config):
        raise DataError("expected another log")
    assert code_of(caught.value) == BAD_INPUT
    with pytest.raises(OSError, match="denied"), holding(config):
        raise OSError(errno.EACCES, "denied")


def test_who_reads_does_not_spoil_the_run(
    config: PipelineConfig, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = config.workspace / "artifacts" / "Node" / "model" / "1"
    folder.mkdir(parents=True)
    monkeypatch.setattr("pipeline.retention.expired", lambda _: module_removal(folder))
    with reading(config.workspace), holding(config):
        pass
    assert folder.is_dir()
    assert "Old artifacts stay until the next run" in capsys.readouterr().err
    with holding(config):
        pass
    assert not folder.exists()


def module_removal(folder: Path) -> object:
    from pipeline.retention import Removal

    return Removal((folder,), 0)
