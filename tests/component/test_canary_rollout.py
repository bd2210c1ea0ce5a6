"""A canary on the local server, from label to promotion or removal, by the command."""

import json
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from served_models import MODEL, copy_version, example, save_served_model
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from interest_migration.client import Client, RequestError
from interest_migration.server.running import RunningServer, running
from interest_migration.server.settings import ServerSettings
from interest_migration.serving.audit import read_audit
from interest_migration.serving.model_config import read_rollout
from pipeline.cli import main

WHY = ("--by", "Ada", "--reason", "because")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_served_model(tmp_path_factory.mktemp("model") / "saved")


@pytest.fixture
def models(model: Path, tmp_path: Path) -> Path:
    models = tmp_path / "served"
    for version in (1, 2, 3):
        copy_version(model, models, version)
    return models


@pytest.fixture
def server(models: Path) -> Iterator[RunningServer]:
    settings = ServerSettings(models=models, grpc_port=0, rest_port=0, poll_seconds=0.1)
    with running(settings) as server:
        yield server


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("examples") / "part.gz"
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for number in range(20):
            writer.write(example(number))
    return path


def models_command(models: Path, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    given = ["models", *map(str, arguments), "--models", str(models), "--json"]
    result = CliRunner().invoke(main, given)
    return result.exit_code, json.loads(result.stdout)


def start_canary(models: Path, server: RunningServer, version: int) -> None:
    address = ("--address", f"grpc://{server.grpc_address}", *WHY)
    assert models_command(models, "pin", "1", *address)[0] == 0
    assert models_command(models, "label", "canary", str(version), *address)[0] == 0
    wait_until(lambda: knows_labels(server))


def compare(models: Path, address: str, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    options = ("--share", "1", "--requests", "60", "--max-latency-ratio", "100")
    return models_command(models, "compare", "--address", address, *options, *arguments)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_canary_that_answers_is_compared_and_promoted_without_a_failed_request(
    models: Path, server: RunningServer, examples: Path, protocol: str
) -> None:
    address = f"grpc://{server.grpc_address}" if protocol == "grpc" else server.rest_url
    start_canary(models, server, 3)
    answered: list[int] = []
    over = threading.Event()

    def ask_stable() -> None:
        with Client(f"grpc://{server.grpc_address}", MODEL, label="stable") as client:
            while not over.is_set():
                answered.append(int(client.call("serving_default", {"examples": [example(1)]})["version"][0]))

    asking = threading.Thread(target=ask_stable)
    asking.start()
    code, report = compare(models, address, "--examples", examples)
    assert (code, report["passed"], report["rolled_back"]) == (0, True, False)
    assert (report["stable"]["requests"], report["canary"]["requests"]) == (60, 60)
    if protocol == "grpc":
        assert (report["stable"]["versions"], report["canary"]["versions"]) == ([1], [3])
    assert models_command(models, "promote", *WHY)[0] == 0
    wait_until(lambda: answered[-1] == 3)
    assert models_command(models, "rollback", *WHY)[0] == 0
    wait_until(lambda: answered[-1] == 1)
    over.set()
    asking.join()
    changes = [now for before, now in pairwise(answered) if before != now]
    assert changes == [3, 1]  # every request was answered, and no version came back


def test_a_canary_that_fails_is_taken_off(models: Path, server: RunningServer, examples: Path) -> None:
    start_canary(models, server, 2)
    (models / MODEL / "2" / "assets" / "version").write_text("not a number")
    code, report = compare(models, server.rest_url, "--examples", examples, "--wait", "0.5")
    assert code == 3
    assert report["rolled_back"] is True
    assert report["canary"]["errors"] > 0
    rollout = read_rollout(models / MODEL)
    assert (rollout.labels, rollout.versions) == ({"stable": 1}, (1,))
    entry = read_audit(models)[-1]
    assert (entry.action, entry.by) == ("unlabel", "models compare")
    assert entry.reason.startswith("version 2 broke its budget: error_rate 1, allowed 0.01")
    with Client(f"grpc://{server.grpc_address}", MODEL, label="stable") as client:
        assert client.call("serving_default", {"examples": [example(1)]})["version"][0] == 1


def test_a_report_alone_leaves_the_canary(models: Path, server: RunningServer, examples: Path) -> None:
    start_canary(models, server, 2)
    code, report = compare(
        models, server.rest_url, "--examples", examples, "--max-latency-ms", "0.0001", "--no-rollback"
    )
    assert (code, report["passed"], report["rolled_back"]) == (3, False, False)
    assert read_rollout(models / MODEL).labels["canary"] == 2


def test_logged_requests_are_sent_again(models: Path, server: RunningServer, tmp_path: Path) -> None:
    log = PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = "predict"
    for name, value in {"name": ["Ada"], "numbers": [[1.0, 2.0]], "age": np.array([3], np.int64)}.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    with tf.io.TFRecordWriter(str(tmp_path / "log.tfrecord")) as writer:
        writer.write(log.SerializeToString())
    start_canary(models, server, 2)
    code, report = compare(models, f"grpc://{server.grpc_address}", "--requests-log", tmp_path)
    assert (code, report["stable"]["errors"], report["canary"]["errors"]) == (0, 0, 0)


def test_what_cannot_be_compared_is_said(models: Path, server: RunningServer, examples: Path) -> None:
    code, told = compare(models, server.rest_url, "--examples", examples)
    assert (code, "expected the labels stable and canary" in told["error"]) == (2, True)
    start_canary(models, server, 2)
    code, told = compare(models, server.rest_url)
    assert (code, "expected --examples or --requests-log" in told["error"]) == (2, True)
    code, told = models_command(
        models, "label", "canary", "3", *WHY, "--address", "grpc://127.0.0.1:1", "--wait", "0.2"
    )
    assert (code, "no label has moved" in told["error"]) == (1, True)
    assert read_rollout(models / MODEL).labels["canary"] == 2


def knows_labels(server: RunningServer) -> bool:
    try:
        for label in ("stable", "canary"):
            with Client(server.rest_url, MODEL, label=label) as client:
                client.status()
    except RequestError:
        return False
    return True


def wait_until(holds: Any) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
