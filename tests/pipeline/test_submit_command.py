"""`submit` from its configuration to its exit code, against a local server that speaks the v2beta1 API."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import kfp_checks
import pytest
import yaml
from click.testing import CliRunner, Result
from kfp.components import load_component_from_text
from pipelines_server import Backend, serving, task

from components.run_verdict import tell
from pipeline.cli import main
from pipeline.config import load_config
from pipeline.kubeflow import scheduled
from pipeline.kubeflow.submit_settings import HOST_VARIABLE, NAMESPACE_VARIABLE, TOKEN_FILE_VARIABLE, TOKEN_VARIABLE
from pipeline.kubeflow.verdict import EXIT_HANDLER, Verdict, read_verdict

ROOT = Path(__file__).parents[2]
VARIABLES = (HOST_VARIABLE, NAMESPACE_VARIABLE, TOKEN_FILE_VARIABLE, TOKEN_VARIABLE)
MOUNTS = [{"claim": "interest-migration", "path": "/mnt/work"}, {"claim": "models", "path": "/mnt/models"}]
SECRETS = [{"secret": "key", "variables": {"INTEREST_MIGRATION_KEY": "key"}}]
CLICKS = "user,ts,event,sku,kind\nu1,1700000000,view,a,x\nu2,1700000100,buy,b,y\n"
MAPPING = """
name: clicks
streams:
  - name: clicks
    files: clicks.csv
    fields:
      user: user
      time: {column: ts, format: unix_s}
      action: {column: event, values: {view: view, buy: purchase}}
      item: sku
      category_path: kind
"""
CONFIG = {
    "name": "shop",
    "workspace": "/mnt/work/shop",
    "data": {"mapping": "mapping.yaml", "input": "logs"},
    "gates": "gates.yaml",
    "push": {"directory": "/mnt/models"},
    "submit": {"poll_seconds": 0.01},
}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("INTEREST_MIGRATION_KEY", "00" * 32)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "clicks.csv").write_text(CLICKS, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    gates = "rules: [{name: found, task: next_category, metric: hit_at_5, at_least: 0.1}]"
    (tmp_path / "gates.yaml").write_text(gates, encoding="utf-8")
    mounts = [*MOUNTS, {"claim": "logs", "path": str(tmp_path / "logs")}]
    kubeflow = {
        "image": "images/shop@sha256:" + "0" * 64,
        "defaults": {"mounts": mounts, "secrets": SECRETS, "deadline_seconds": 60, "memory": "2Gi"},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({**CONFIG, "kubeflow": kubeflow}), encoding="utf-8")
    return tmp_path


def call(shop: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["submit", "--config", str(shop / "config.yaml"), *arguments])


def split_by_day(shop: Path) -> None:
    """Puts the log into two partitions of a day each."""
    whole = shop / "logs" / "clicks.csv"
    for day in ("2023-11-14", "2023-11-15"):
        folder = shop / "logs" / "days" / day
        folder.mkdir(parents=True)
        (folder / "clicks.csv").write_text(whole.read_text(encoding="utf-8"), encoding="utf-8")
    whole.unlink()
    (shop / "mapping.yaml").write_text(MAPPING.replace("files: clicks.csv", "files: days"), encoding="utf-8")
    config = yaml.safe_load((shop / "config.yaml").read_text(encoding="utf-8"))
    config["data"]["partitions"] = {"pattern": "days/{YYYY}-{MM}-{DD}"}
    (shop / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def told(state: str, exit_code: int, **values: object) -> dict[str, str]:
    return {"pod-end": f"verdict: {json.dumps({'state': state, 'exit_code': exit_code, **values})}\n"}


END = ([], [task(EXIT_HANDLER, "SUCCEEDED", pod="pod-end")])


def test_a_dry_run_tells_every_request_and_connects_to_nothing(shop):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.05)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        result = call(shop, "--dry-run", "--json", "--host", address)
        with pytest.raises(TimeoutError):
            listening.accept()

    plan = json.loads(result.stdout)
    assert result.exit_code == 0
    assert plan["host"] == address
    (upload,) = (each for each in plan["requests"] if "file" in each)
    spec, platform = kfp_checks.parse(upload["file"])
    body = plan["requests"][-1]["body"]
    assert spec["pipelineInfo"]["name"] == "shop"
    assert set(platform) == {"platforms"}
    assert set(body["runtime_config"]["parameters"]) == set(spec["root"]["inputDefinitions"]["parameters"])
    assert body["runtime_config"]["parameters"]["data_fingerprint"]
    assert {"Verdict", EXIT_HANDLER} <= {name.removesuffix("_executor") for name in spec["deploymentSpec"]["executors"]}


@pytest.mark.parametrize(
    ("logs", "states", "exit_code", "expected"),
    [
        (told("pushed", 0, version=4), ("RUNNING", "SUCCEEDED"), 0, "Verdict: pushed, version 4"),
        (told("refused by the model gate", 3, reasons=["weak"]), ("RUNNING", "SUCCEEDED"), 3, "  weak"),
        (
            told("failed", 1, failed_step="Trainer", error="no memory"),
            ("RUNNING", "FAILED"),
            1,
            "at Trainer\n  no memory",
        ),
        ({}, ("RUNNING", "FAILED"), 1, "Verdict: failed"),
    ],
)
def test_a_run_is_watched_and_its_verdict_is_the_exit_code(shop, logs, states, exit_code, expected):
    with serving(Backend(states=states, tasks=END, logs=logs)) as address:
        result = call(shop, "--host", address)

    assert result.exit_code == exit_code
    assert expected in result.stdout
    assert f"{address}/#/runs/details/runs-1" in result.stdout
    assert f"{EXIT_HANDLER} ..." in result.stderr
    assert "TensorFlow" not in result.stderr


@pytest.mark.parametrize(
    ("status", "outcome", "failure", "expected"),
    [
        ("COMPLETE", {"state": "pushed", "version": 7}, {}, Verdict("pushed", 0, version="7")),
        (
            "COMPLETE",
            {"state": "refused by the model gate", "version": None, "reasons": ["too weak"]},
            {},
            Verdict("refused by the model gate", 3, reasons=("too weak",)),
        ),
        (
            "FAILED",
            {},
            {"step": "Trainer", "error": "no memory", "exit_code": 1},
            Verdict("failed", 1, failed_step="Trainer", error="no memory"),
        ),
    ],
)
def test_what_the_exit_handler_writes_is_what_is_read(status, outcome, failure, expected):
    log = f"verdict: {json.dumps(tell('run-1', {'state': status}, outcome, failure))}\n"

    assert read_verdict(log) == expected


def test_a_run_that_nobody_waits_for_ends_at_once(shop):
    backend = Backend(states=("RUNNING",))
    with serving(backend) as address:
        result = call(shop, "--host", address, "--no-wait", "--json")

    found = json.loads(result.stdout)
    assert (result.exit_code, found["run"], found["verdict"]) == (0, "runs-1", None)
    assert found["version"].startswith("shop-")
    assert not backend.looks


def test_a_schedule_is_a_step_that_submits_the_newest_data_from_inside(shop, tmp_path):
    backend = Backend()
    with serving(backend) as address:
        result = call(shop, "--host", address, "--cron", "30 4 * * *")

    (uploaded,) = (each["body"]["text"] for each in backend.requests if each["path"].endswith("upload_version"))
    body = backend.requests[-1]["body"]
    assert result.exit_code == 0
    assert "Recurring run shop: recurring-1" in result.stdout
    assert body["trigger"] == {"cron_schedule": {"cron": "0 30 4 * * *"}}
    kfp_checks.parse(uploaded)  # the backend would take it
    component = load_component_from_text(uploaded)
    (executor,) = component.pipeline_spec.deployment_spec["executors"].values()
    assert list(component.pipeline_spec.root.input_definitions.parameters) == list(body["runtime_config"]["parameters"])
    assert list(executor["container"]["command"]) == ["python", "-m", "pipeline.kubeflow.scheduled"]

    # what its container does, when it is time:
    files = body["runtime_config"]["parameters"]["files"]
    (shop / "gates.yaml").unlink()
    inside = Backend(tasks=END, logs=told("pushed", 0, version=1))
    with serving(inside) as address, pytest.raises(SystemExit) as ended:
        scheduled.main(files, "--host", address)

    (run,) = inside.objects["runs"].values()
    assert ended.value.code == 0
    assert run["runtime_config"]["parameters"]["data_fingerprint"]
    assert [each["display_name"] for each in inside.objects["pipelines"].values()] == ["shop"]


def test_spans_share_a_version_of_the_pipeline_wherever_they_are_submitted(shop, monkeypatch):
    split_by_day(shop)
    backend = Backend(tasks=END, logs=told("pushed", 0, version=1))
    with serving(backend) as address:
        scheduling = call(shop, "--host", address, "--every", "1d")
        files = backend.requests[-1]["body"]["runtime_config"]["parameters"]["files"]
        first = call(shop, "--host", address, "--span", "2023-11-14", "--no-wait")
        with pytest.raises(SystemExit):  # from a folder of its own, as in the cluster
            scheduled.main(files, "--host", address)

    assert (scheduling.exit_code, first.exit_code) == (0, 0), scheduling.output + first.output
    old, new = (run["runtime_config"]["parameters"] for run in backend.objects["runs"].values())
    assert (new["span"] - old["span"], new["data_fingerprint"] == old["data_fingerprint"]) == (1, False)
    names = [each["display_name"] for each in backend.objects["versions"].values()]
    assert [name.rpartition("-")[0] for name in names] == ["shop-submit", "shop"]


def test_what_a_schedule_carries_is_the_whole_configuration(tmp_path):
    config = load_config(
        ROOT / "configs" / "kubeflow.yaml", ["examples.seed=0", "submit.host=http://here", "model.width=48"]
    )
    for name, text in scheduled.pack(config).items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    unpacked = load_config(tmp_path / "config.yaml")

    places = {"mapping": "mapping.yaml", "gates": "gates.yaml", "data_gates": "data-gates.yaml"}
    files = {name: getattr(config, name, None) or config.data.mapping for name in places}
    assert {name: (tmp_path / place).read_bytes() for name, place in places.items()} == {
        name: file.read_bytes() for name, file in files.items()
    }
    moved = config.model_copy(
        update={
            "data": config.data.model_copy(update={"mapping": tmp_path / "mapping.yaml"}),
            "gates": tmp_path / "gates.yaml",
            "data_gates": tmp_path / "data-gates.yaml",
            "submit": config.submit.model_copy(update={"host": None}),
        }
    )
    assert unpacked == moved


def test_the_submitting_step_sees_the_data_and_has_as_long_as_a_run_takes(shop):
    plan = json.loads(
        call(shop, "--host", "http://localhost", "--namespace", "team", "--every", "1d", "--dry-run", "--json").stdout
    )

    (upload,) = (each for each in plan["requests"] if "file" in each)
    spec, platform = yaml.safe_load_all(upload["file"])
    (config,) = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values()
    (executor,) = spec["deploymentSpec"]["executors"].values()
    assert [mount["constant"] for mount in config["pvcMount"]] == ["interest-migration", "models", "logs"]
    assert config["secretAsEnv"][0]["secretName"] == "key"
    assert "activeDeadlineSeconds" not in config
    assert executor["container"]["resources"] == {"resourceMemoryLimit": "2Gi"}
    assert spec["root"]["dag"]["tasks"]["Submit"]["cachingOptions"] == {}
    assert executor["container"]["args"][1:] == ["--host", "http://ml-pipeline.kubeflow:8888", "--namespace", "team"]


@pytest.mark.parametrize(
    ("backend", "arguments", "expected"),
    [
        (Backend(tokens=("new",)), (), "expected a valid token"),
        (Backend(multi_user=True, namespaces=("team",)), ("--namespace", "taem"), "expected namespace taem"),
        (Backend(), ("--cron", "daily"), "--cron: expected five fields"),
        (Backend(), ("--every", "1d", "--span", "7"), "--span: expected no span for a schedule"),
        (Backend(), ("--without-data", "--span", "7"), "--without-data: expected a log without dated partitions"),
    ],
)
def test_what_the_submitter_can_repair_is_one_line_and_exit_code_2(shop, backend, arguments, expected):
    with serving(backend) as address:
        result = call(shop, "--host", address, *arguments)

    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert expected in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_wrong_host_is_one_line_and_exit_code_2(shop):
    arguments = ["submit", "--config", str(shop / "config.yaml"), "--host", "http://127.0.0.1:1"]
    result = subprocess.run(  # not in this process, where loggers are set up as tests need them
        [sys.executable, "-m", "pipeline", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: expected Kubeflow Pipelines at http://127.0.0.1:1, received: ")
    assert "Connection refused" in line


def test_a_token_that_expires_while_a_run_is_watched_names_the_run_that_goes_on(shop, monkeypatch):
    backend = Backend(tokens=("good",), states=("RUNNING",))
    monkeypatch.setenv(TOKEN_VARIABLE, "good")

    with serving(backend) as address:
        backend.expires_after_looks = 2
        result = call(shop, "--host", address)

    assert result.exit_code == 2
    assert "the run goes on, but cannot be watched: expected a valid token" in result.stderr
    assert f"{address}/#/runs/details/runs-1" in result.stderr
