"""Versions come and go while clients ask: no request fails, no answer mixes versions."""

import shutil
import threading
from dataclasses import dataclass, field

import pytest
from served_models import MODEL, copy_version, example

from interest_migration.client import Client, RetryPolicy
from interest_migration.server.running import running
from interest_migration.server.settings import ServerSettings

SWAPS, ROLLBACKS, KEPT = 20, 5, 7
ONCE = RetryPolicy(attempts=1)


@dataclass
class Load:
    """Clients that ask without pause, each over one protocol; a failure is not tried again."""

    addresses: list[str]
    versions: set[int] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    answers: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self):
        self.threads = [threading.Thread(target=self._ask, args=[address]) for address in self.addresses]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _ask(self, address):
        with Client(address, MODEL, retries=ONCE) as client:
            while not self.stop.is_set():
                try:
                    outputs = client.call("serving_default", {"examples": [example(1.0), example(2.0)]})
                    said = {outputs.version, *outputs["version"].tolist()}
                    scores = outputs["score"].tolist()
                    if len(said) > 1 or scores != [1.0 * outputs.version, 2.0 * outputs.version]:
                        self.problems.append(f"mixed: {said} {scores}")
                    self.versions |= said
                    self.answers += 1
                except Exception as error:
                    self.problems.append(repr(error))


def pin(models, version):
    text = (
        f'model_config_list {{ config {{ name: "{MODEL}" base_path: "{MODEL}" model_platform: "tensorflow" '
        f"model_version_policy {{ specific {{ versions: {version} }} }} }} }}"
    )
    (models / "new.config").write_text(text)
    (models / "new.config").rename(models / "models.config")


@pytest.fixture
def models(tmp_path, saved_model):
    copy_version(saved_model, tmp_path / "models", 1)
    return tmp_path / "models"


def test_swaps_and_rollbacks_are_not_noticed(models, saved_model):
    settings = ServerSettings(models=models, grpc_port=0, rest_port=0, poll_seconds=0.02)
    with running(settings) as server, Load([f"grpc://{server.grpc_address}"] * 3 + [server.rest_url]) as load:
        newest = 1 + SWAPS
        for version in range(2, newest + 1):
            copy_version(saved_model, models, version)
            server.wait_for(MODEL, version)
            if version > KEPT:
                gone = (models / MODEL / str(version - KEPT)).rename(models / MODEL / ".gone")
                shutil.rmtree(gone)
        for version in range(newest - 1, newest - 1 - ROLLBACKS, -1):
            pin(models, version)
            server.wait_until(MODEL, [version])
    assert load.problems == []
    assert load.versions >= set(range(newest - ROLLBACKS, newest + 1))
    assert load.answers > 100
