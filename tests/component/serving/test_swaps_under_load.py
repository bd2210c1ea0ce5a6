"""Versions come and go while clients ask: no request fails, no answer mixes versions."""

import shutil
import threading
from dataclasses import dataclass, field

import grpc
import pytest
from served_models import MODEL, copy_version, example
from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc

from interest_migration.client import Client, NotFoundError, RetryPolicy
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


def test_versions_and_models_that_are_removed_are_unloaded(models, saved_model):
    copy_version(saved_model, models, 2)
    copy_version(saved_model, models, 5, name="other")
    settings = ServerSettings(models=models, grpc_port=0, rest_port=0, poll_seconds=0.02)
    with running(settings) as server, Client(server.rest_url, "other") as other:
        server.wait_until(MODEL, [2])
        server.wait_until("other", [5])
        shutil.rmtree(models / MODEL / "2")
        server.wait_until(MODEL, [1])
        shutil.rmtree((models / "other").rename(models / ".other"))
        server.wait_until("other", [])
        with pytest.raises(NotFoundError):
            other.call("serving_default", {"examples": [example(1.0)]})


def test_a_configuration_that_a_client_sends_is_in_force_at_once(models, saved_model):
    copy_version(saved_model, models, 2)
    request = model_management_pb2.ReloadConfigRequest()
    config = request.config.model_config_list.config.add(name=MODEL, base_path=MODEL, model_platform="tensorflow")
    config.model_version_policy.specific.versions.extend([1, 2])
    config.version_labels["stable"] = 1
    settings = ServerSettings(models=models, grpc_port=0, rest_port=0, poll_seconds=60)
    with running(settings) as server, grpc.insecure_channel(server.grpc_address) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        assert stub.HandleReloadConfigRequest(request).status.error_code == 0
        with Client(server.rest_url, MODEL, label="stable") as client:
            assert client.call("serving_default", {"examples": [example(1.0)]}).version == 1
        shutil.copytree(models / MODEL / "1", models / MODEL / "3")
        (models / MODEL / "3" / "saved_model.pb").unlink()
        config.model_version_policy.specific.versions.append(3)
        response = stub.HandleReloadConfigRequest(request)
        assert response.status.error_code == 2
        assert "no readable saved_model.pb" in response.status.error_message
        server.wait_until(MODEL, [1, 2], refused=[3])


def test_a_client_is_told_what_of_its_configuration_is_not_in_force(models):
    request = model_management_pb2.ReloadConfigRequest()
    config = request.config.model_config_list.config.add(name=MODEL, base_path=MODEL, model_platform="tensorflow")
    config.version_labels["stable"] = 9
    request.config.model_config_list.config.add(name="ghost", base_path="ghost", model_platform="tensorflow")
    settings = ServerSettings(models=models, grpc_port=0, rest_port=0, poll_seconds=60)
    with running(settings) as server, grpc.insecure_channel(server.grpc_address) as channel:
        status = model_service_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest(request).status
        assert status.error_code == 2
        assert f"{MODEL}: label stable cannot point to version 9, which is not available" in status.error_message
        assert f"ghost: no version of those wanted is in {models / 'ghost'}" in status.error_message
        server.wait_until(MODEL, [1])


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
