"""`privacy rotate-key | erase | purge` on workspaces that hold a few artifacts."""

import json
import os
from pathlib import Path

import ml_metadata
import pytest
from click.testing import CliRunner, Result
from ml_metadata.proto import metadata_store_pb2 as mlmd

from interest_migration.privacy.keys import load_key
from pipeline.cli import main
from pipeline.metadata import metadata_config
from pipeline.workspace import locked

USER = "customer-00001"


@pytest.fixture(autouse=True)
def _no_key_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTEREST_MIGRATION_KEY", raising=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with a key, a configuration beside it, and one run's examples and model."""
    place = tmp_path / "workspace"
    config = f"name: tiny\nworkspace: {place}\ngates: g.yaml\ndata: {{mapping: m.yaml}}\n"
    (tmp_path / "config.yaml").write_text(config)
    load_key(place / "pseudonym.key")
    store = ml_metadata.MetadataStore(metadata_config(place))
    for number, name in ((1, "Examples"), (2, "Model")):
        kind = store.put_artifact_type(mlmd.ArtifactType(name=name))
        folder = place / "artifacts" / "Node" / name.lower() / str(number)
        folder.mkdir(parents=True)
        (folder / "data").write_text("x" * 2**20)
        store.put_artifacts([mlmd.Artifact(type_id=kind, uri=str(folder), state=mlmd.Artifact.LIVE)])
    return place


def call(workspace: Path, command: str, *arguments: object) -> Result:
    words = ["privacy", command, "--config", workspace.with_name("config.yaml"), *arguments]
    return CliRunner().invoke(main, [str(word) for word in words])


def with_list(workspace: Path, *ids: str) -> str:
    path = workspace.with_name("erased.csv")
    path.write_text("\n".join(ids))
    return f"data.erasure_list={path}"


def outputs(workspace: Path) -> list[str]:
    return sorted(path.name for path in workspace.glob("artifacts/Node/*/*"))


def test_a_new_key_takes_the_place_of_the_old_one(workspace: Path) -> None:
    old = load_key(workspace / "pseudonym.key")
    result = call(workspace, "rotate-key")
    assert result.exit_code == 0, result.output
    assert load_key(workspace / "pseudonym.key") != old
    assert "is destroyed" in result.output
    assert "Remains: artifacts made with the old key; --delete-artifacts deletes them" in result.output
    assert "Next: run again: it reads all logs and trains anew" in result.output
    assert old.hex() not in "".join(path.read_text("latin-1") for path in workspace.rglob("*") if path.is_file())
    assert old.hex() not in result.output
    assert outputs(workspace) == ["1", "2"]


def test_an_old_key_can_be_kept_and_is_named_as_a_risk(workspace: Path) -> None:
    old = load_key(workspace / "pseudonym.key")
    result = call(workspace, "rotate-key", "--keep-old")
    (kept,) = workspace.glob("pseudonym.key.*.old")
    assert load_key(kept) == old
    assert f"Remains: the old key, {kept}: with it and a user's id, old pseudonyms can be linked" in result.output


def test_artifacts_of_the_old_key_can_go_with_it(workspace: Path) -> None:
    result = call(workspace, "rotate-key", "--delete-artifacts", "--json")
    assert json.loads(result.stdout)["removed"] == [str(workspace / "artifacts/Node/examples/1")]
    assert outputs(workspace) == ["2"]


def test_a_dry_run_changes_nothing(workspace: Path) -> None:
    def state() -> dict[str, bytes]:
        files = (path for path in workspace.rglob("*") if path.is_file() and path.name != "lock")
        return {str(path): path.read_bytes() for path in files}

    before = state()
    erased = with_list(workspace, USER)
    for command in (
        ("rotate-key", "--delete-artifacts", "--keep-old"),
        ("erase", "--set", erased),
        ("purge", "--set", "retention.runs=1"),
    ):
        result = call(workspace, *command, "--dry-run")
        assert result.exit_code == 0, result.output
        assert "Would be removed: " in result.output
        assert state() == before


def test_a_key_in_the_environment_is_changed_by_its_owner(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEREST_MIGRATION_KEY", "00" * 32)
    before = (workspace / "pseudonym.key").read_bytes()
    result = call(workspace, "rotate-key")
    assert result.exit_code == 2
    assert "the key is in the environment variable INTEREST_MIGRATION_KEY" in result.output
    assert "secrets.token_hex(32)" in result.output
    assert (workspace / "pseudonym.key").read_bytes() == before


def test_without_a_key_there_is_nothing_to_rotate(workspace: Path) -> None:
    (workspace / "pseudonym.key").unlink()
    result = call(workspace, "rotate-key")
    assert result.exit_code == 2
    assert "expected a key to replace" in result.output
    assert not (workspace / "pseudonym.key").exists()


@pytest.mark.parametrize("command", [("rotate-key",), ("erase",), ("purge", "--set", "retention.runs=1")])
def test_a_workspace_in_use_is_left_alone(workspace: Path, command: tuple[str, ...]) -> None:
    before = load_key(workspace / "pseudonym.key")
    with locked(workspace):
        result = call(workspace, *command, "--set", with_list(workspace, USER))
    assert result.exit_code == 2
    assert f"is used by process {os.getpid()}" in result.output
    assert load_key(workspace / "pseudonym.key") == before
    assert outputs(workspace) == ["1", "2"]


def test_erasing_removes_examples_and_tells_what_remains(workspace: Path) -> None:
    (workspace / "served" / "interests" / "3").mkdir(parents=True)
    result = call(workspace, "erase", "--set", with_list(workspace, USER, "4711", "4711.0"))
    assert result.exit_code == 0, result.output
    assert outputs(workspace) == ["2"]
    assert "2 users are to be erased" in result.output
    assert f"Remains: served versions: {workspace}/served/interests/3" in result.output
    assert "Remains: models that earlier runs trained" in result.output
    assert "Next: run again: the rows of these users are set aside as erased_user" in result.output
    assert USER not in result.output


def test_users_that_the_next_run_would_use_again_are_not_erased(workspace: Path) -> None:
    other = workspace.with_name("other.csv")
    other.write_text(f"{USER}\ncustomer-00002\n")
    result = call(workspace, "erase", "--list", other, "--set", with_list(workspace, USER))
    assert result.exit_code == 2
    assert "1 are missing, and the next run would use them again" in result.output
    assert "customer" not in result.output
    assert outputs(workspace) == ["1", "2"]


@pytest.mark.parametrize(("ids", "message"), [(None, "data.erasure_list: expected"), ((), "expected users to erase")])
def test_erasing_needs_users(workspace: Path, ids: tuple[str, ...] | None, message: str) -> None:
    arguments = () if ids is None else ("--set", with_list(workspace, *ids))
    result = call(workspace, "erase", *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert outputs(workspace) == ["1", "2"]


def test_purging_needs_a_rule(workspace: Path) -> None:
    result = call(workspace, "purge")
    assert result.exit_code == 2
    assert "try: --set retention.runs=3" in result.output
    assert outputs(workspace) == ["1", "2"]
