"""The command in a process of its own, as people run it."""

import shutil
import signal
import subprocess
import sys
import time

import numpy as np
from click.testing import CliRunner
from served_models import MODEL, copy_version, example

from interest_migration.client import Client, NotFoundError
from interest_migration.serving.warm_up import write_warm_ups
from pipeline.cli import main

CODE = """
import atexit, sys
from pipeline.cli import main
heavy = ("tfx", "apache_beam", "ml_metadata", "kfp")
atexit.register(lambda: print("HEAVY", [name for name in heavy if name in sys.modules], flush=True))
main(["serve", *sys.argv[1:]])
"""


def states(client):
    try:
        return client.status()
    except NotFoundError:
        return []


def start(models):
    arguments = ["--models", models, "--port", 0, "--rest-port", 0, "--any-signatures", "--poll-seconds", 0.1]
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_a_stop_does_not_wait_for_the_warm_up_of_a_version(saved_model, tmp_path):
    ten_minutes = [("wait", {"seconds": np.array([0.6], np.float32)})] * 1000
    (tmp_path / "slow" / "assets.extra").mkdir(parents=True)
    shutil.copytree(saved_model, tmp_path / "slow", dirs_exist_ok=True)
    write_warm_ups(str(tmp_path / "slow"), ten_minutes)
    copy_version(tmp_path / "slow", tmp_path / "models", 1)
    process = start(tmp_path / "models")
    try:
        process.stdout.readline()
        _, grpc, *_ = process.stdout.readline().split()
        with Client(f"grpc://{grpc}", MODEL, timeout_s=60) as client:
            while not any(each.state == "LOADING" for each in states(client)):
                time.sleep(0.05)
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0


def test_the_command_serves_until_it_is_told_to_stop(saved_model, tmp_path):
    copy_version(saved_model, tmp_path, 7)
    process = start(tmp_path)
    try:
        notice = process.stdout.readline()
        _, grpc, _, rest = process.stdout.readline().split()
        with Client(f"grpc://{grpc}", MODEL, timeout_s=60) as client:
            while not any(each.state == "AVAILABLE" for each in states(client)):
                time.sleep(0.05)
            assert client.call("serving_default", {"examples": [example(2.0)]})["score"].tolist() == [14.0]
        with Client(rest, MODEL) as client:
            assert [each.version for each in client.status()] == [7]
    finally:
        process.send_signal(signal.SIGTERM)
        rest_of_output, _ = process.communicate(timeout=60)
    assert "for development and CI" in notice
    assert "Stopping: open requests are answered first.\nStopped.\nHEAVY []\n" in rest_of_output
    assert process.returncode == 0


def test_a_folder_that_is_none_is_bad_input(tmp_path):
    runner = CliRunner(env={"TF_NUM_INTRAOP_THREADS": None})  # which the command sets, and a process of its own forgets
    result = runner.invoke(main, ["serve", "--models", str(tmp_path / "nowhere"), "--port", "0", "--rest-port", "0"])
    assert result.exit_code == 2
    assert "expected a folder of models" in result.output
