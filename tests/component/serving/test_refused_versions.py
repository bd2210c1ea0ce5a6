"""Versions that must not be served: refused with a reason, while the one before keeps answering."""

import shutil

import pytest
from served_models import MODEL, copy_version, example, save_served_model

from interest_migration.client import Client, NotFoundError
from interest_migration.errors import DataError
from interest_migration.server.loading import load_model
from interest_migration.server.running import running
from interest_migration.server.settings import ServerSettings
from interest_migration.serving.warm_up import WARM_UP_FILE, write_warm_ups


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def write_warm_up(folder, values, signature="serving_default"):
    (folder / WARM_UP_FILE).parent.mkdir(exist_ok=True)
    write_warm_ups(str(folder), [(signature, {"examples": values})])


def damage_graph(folder):
    cut(folder / "saved_model.pb")


def damage_variables(folder):
    cut(folder / "variables" / "variables.data-00000-of-00001")


def lose_variables(folder):
    (folder / "variables" / "variables.index").unlink()


def lose_graph(folder):
    (folder / "saved_model.pb").unlink()


def empty_graph(folder):
    (folder / "saved_model.pb").write_bytes(b"")


def damage_warm_up(folder):
    write_warm_up(folder, [b"no example"])


def warm_up_of_another_signature(folder):
    write_warm_up(folder, [example(1.0)], "ask")


DAMAGES = {
    damage_graph: "is damaged or cut short",
    damage_variables: "received one that does not load",
    lose_variables: "received one that does not load",
    lose_graph: "which has no readable saved_model.pb",
    empty_graph: "expected a graph tagged 'serve'",
    damage_warm_up: "expected warm-up requests that",
    warm_up_of_another_signature: "expected warm-up requests that",
}


@pytest.fixture
def models(tmp_path, saved_model):
    copy_version(saved_model, tmp_path / "models", 1)
    return tmp_path / "models"


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_model_does_not_load(models, damage):
    folder = models / MODEL / "1"
    damage(folder)
    with pytest.raises(DataError, match=DAMAGES[damage]):
        load_model(folder)


def test_a_model_without_the_default_signature_does_not_load(tmp_path):
    folder = save_served_model(tmp_path / "model", default="something_else")
    with pytest.raises(DataError, match=r"expected the signature serving_default in .*, received .*something_else"):
        load_model(folder)


def test_warm_up_requests_are_answered_before_a_version_is(models):
    folder = models / MODEL / "1"
    write_warm_up(folder, [example(1.0)])
    assert load_model(folder).signatures["serving_default"].has_rows


def test_the_version_before_keeps_answering(models, saved_model, tmp_path):
    def check(folder):
        if folder.name == "4":
            raise DataError("expected the signature predict, received none")

    settings = ServerSettings(models=models, grpc_port=0, rest_port=0, poll_seconds=0.05)
    with running(settings, check=check) as server, Client(f"grpc://{server.grpc_address}", MODEL) as client:
        half = tmp_path / "half"
        shutil.copytree(saved_model, half)
        (half / "saved_model.pb").unlink()
        shutil.copytree(half, models / MODEL / "2")
        copy_version(saved_model, models, 4)
        states = {each.version: each for each in server.wait_until(MODEL, [1], refused=[2, 4])}
        assert "no readable saved_model.pb" in states[2].error
        assert "expected the signature predict, received none" in states[4].error
        assert {each.version: each.state for each in client.status()} == {4: "END", 2: "END", 1: "AVAILABLE"}
        assert client.call("serving_default", {"examples": [example(1.0)]}).version == 1
        with pytest.raises(NotFoundError):
            Client(f"grpc://{server.grpc_address}", MODEL, version=4).call("serving_default", {})

        shutil.copy(saved_model / "saved_model.pb", models / MODEL / "2")  # the copy is complete now
        server.wait_until(MODEL, [2], refused=[4])


def test_a_broken_configuration_leaves_the_one_before_in_force(models, saved_model):
    copy_version(saved_model, models, 2)
    good = (
        'model_config_list {{ config {{ name: "shop" base_path: "shop" '
        'model_version_policy {{ specific {{ versions: {0} }} }} version_labels {{ key: "stable" value: {0} }} }} }}'
    )
    file = models / "models.config"
    file.write_text(good.format(1))
    settings = ServerSettings(models=models, grpc_port=0, rest_port=0, poll_seconds=0.05)
    with running(settings) as server, Client(f"grpc://{server.grpc_address}", MODEL, label="stable") as client:
        server.wait_until(MODEL, [1])
        file.write_text("model_config_list { config {")
        server.wait_for_config_error("expected a ModelServerConfig in text format")
        assert client.call("serving_default", {"examples": [example(1.0)]}).version == 1
        file.write_text(good.format(7))  # a version that is not there
        server.wait_for_config_error("")
        assert client.call("serving_default", {"examples": [example(1.0)]}).version == 1
        file.write_text(good.format(2))
        server.wait_until(MODEL, [2])
        assert client.call("serving_default", {"examples": [example(1.0)]}).version == 2
