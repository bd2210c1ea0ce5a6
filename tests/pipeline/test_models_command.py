"""`interest-migration models` on versions of a few bytes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from interest_migration.serving.model_config import read_rollout
from pipeline.cli import main
from pipeline.records import Recorder
from pipeline.run import served_state

WHY = ("--by", "Ada", "--reason", "because", "--wait", "0")


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["models", *map(str, arguments)])


@pytest.fixture
def served(tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        folder = tmp_path / "served" / "interests" / str(number)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_text(f"graph {number}")
    return tmp_path / "served"


@pytest.fixture
def config(tmp_path: Path, served: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(
        "name: shop\nworkspace: .\ndata: {mapping: m.yaml}\ngates: g.yaml\n"
        "push: {base_path: /models/interests}\nrollout: {wait_seconds: 0}\n"
    )
    return path


def tell(served: Path) -> dict[str, Any]:
    return json.loads(invoke("list", "--models", served, "--json").stdout)


def test_the_way_of_a_canary(served: Path) -> None:
    place = ("--models", served)
    assert "Pinned: servers load 2" in invoke("pin", "2", *place, *WHY).stdout
    labelled = invoke("label", "canary", "3", *place, *WHY)
    assert labelled.exit_code == 0
    assert "requests that name neither version nor label get version 3" in labelled.stdout
    told = tell(served)
    assert (told["serves"], told["labels"]) == (2, {"canary": 3, "stable": 2})
    assert "interests serves 2 -> 3" in invoke("promote", *place, *WHY).stdout
    assert "interests serves 3 -> 2" in invoke("rollback", *place, *WHY).stdout
    assert tell(served)["policy"] == {"specific": [2]}
    assert "interests serves 2 -> 3" in invoke("unpin", *place, *WHY).stdout
    assert tell(served)["policy"] == {"latest": 1}
    lines = invoke("log", *place).stdout.splitlines()
    assert [line.split("  ")[1].split(";")[0] for line in lines] == [
        *("load", "pin", "load", "label", "promote", "rollback", "unpin")
    ]
    assert all(line.endswith("Ada: because") for line in lines)


def test_one_json_document_of_a_change_and_of_an_error(served: Path) -> None:
    done = json.loads(invoke("pin", "--models", served, *WHY, "--json").stdout)
    assert (done["action"], done["after"]["serves"], done["recorded"]) == ("pin", 3, True)
    failed = invoke("pin", "7", "--models", served, *WHY, "--json")
    assert failed.exit_code == 2
    assert json.loads(failed.stdout) == {"error": "expected one of the versions 1, 2, 3, received 7", "exit_code": 2}


def test_a_dry_run_writes_nothing(served: Path) -> None:
    assert "Would be done: pin" in invoke("pin", "1", "--models", served, *WHY, "--dry-run").stdout
    assert [path.name for path in served.iterdir()] == ["interests"]


def test_a_configuration_names_folder_base_path_and_runs(config: Path, served: Path) -> None:
    recorder = Recorder(config.parent / "runs" / "20260102-030405-678901", "shop", {})
    recorder._end(pushed={"version": 2, "path": str(served / "interests" / "2"), "is_new": True})
    assert invoke("init", "--config", config, "--by", "Ada", "--reason", "before the server starts").exit_code == 0
    assert read_rollout(served / "interests").base_path == "/models/interests"
    told = json.loads(invoke("list", "--config", config, "--json").stdout)
    assert told["pinned"] is False
    runs = {row["version"]: row["run"] for row in told["versions"]}
    assert runs == {3: "", 2: "20260102-030405-678901", 1: ""}
    table = invoke("list", "--config", config).stdout
    assert "20260102-030405-678901" in table
    assert "The newest version is served." in table


def test_the_file_can_be_written_before_anything_is_pushed(config: Path) -> None:
    done = invoke("init", "--config", config, "--model", "later", "--base-path", "gs://b/later", *WHY)
    assert done.exit_code == 0, done.output
    assert read_rollout(config.parent / "served" / "later").base_path == "gs://b/later"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pin",), "expected --config FILE or --models FOLDER, received neither"),
        (("pin", "--models", "served", "--set", "push.keep_versions=3"), "--set: expected it together with --config"),
        (("pin", "--models", "absent"), "expected a folder with served models, received"),
        (("pin", "--models", "served", "--model", "other"), "found no such folder"),
        (("promote", "--models", "served"), "none is labelled canary"),
        (("pin", "--models", "served", "--by", " "), "--by and --reason: expected a name and a reason"),
    ],
)
def test_what_cannot_be_done_is_said(served: Path, arguments: tuple[str, ...], message: str) -> None:
    paths = {"served": str(served), "absent": str(served / "absent")}
    given = [paths.get(argument, argument) for argument in arguments]
    result = invoke(given[0], *WHY, *given[1:])
    assert result.exit_code == 2
    assert message in result.stderr


def test_of_several_models_one_must_be_named(served: Path) -> None:
    (served / "other" / "1").mkdir(parents=True)
    assert "found interests, other; name it with --model" in invoke("list", "--models", served).stderr
    assert invoke("list", "--models", served, "--model", "other").exit_code == 0


def test_a_run_sees_what_is_served_in_its_cache_keys(served: Path) -> None:
    directory = served / "interests"
    plain = served_state(directory)
    assert plain.startswith("3-")
    invoke("pin", "--models", served, *WHY)
    assert served_state(directory) == plain
    invoke("pin", "1", "--models", served, *WHY)
    assert served_state(directory).startswith(plain.rpartition("-")[0] + "-serving-1-")


def test_the_command_needs_no_tensorflow(served: Path) -> None:
    code = (
        "import sys; from pipeline.cli import main; "
        f"main(['models', 'pin', '--models', {str(served)!r}, '--reason', 'x', '--wait', '0'], standalone_mode=False)"
    )
    script = f"import atexit, sys\natexit.register(lambda: print('tensorflow' in sys.modules))\n{code}"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "False"
