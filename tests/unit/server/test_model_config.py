"""TensorFlow Serving's configuration, and folders without one."""

import pytest

from interest_migration.errors import ConfigError
from interest_migration.server.model_config import ModelConfig, Policy, discover, read_config

MODEL = 'name: "shop" base_path: "shop" model_platform: "tensorflow"'


def read(text, models):
    return read_config("model_config_list { config { " + text + " } }", models, "models.config")


def test_policies_choose_newest_first():
    on_disk = [1, 3, 10, 2]
    assert Policy().candidates(on_disk) == [10, 3, 2, 1]
    assert Policy(specific=(1, 9)).candidates(on_disk) == [1]


def test_folders_with_numbered_versions_are_models(tmp_path):
    for path in ("shop/1", "shop/.pushing-2", "notes", ".hidden/1", "other/20"):
        (tmp_path / path).mkdir(parents=True)
    assert discover(tmp_path) == (ModelConfig("other", tmp_path / "other"), ModelConfig("shop", tmp_path / "shop"))
    with pytest.raises(ConfigError, match="expected a folder of models"):
        discover(tmp_path / "nowhere")


def test_a_configuration_is_read(tmp_path):
    text = MODEL + (
        ' model_version_policy { specific { versions: 3 versions: 4 } } version_labels { key: "stable" value: 3 }'
        ' version_labels { key: "canary" value: 4 }'
    )
    assert read(text, tmp_path) == (
        ModelConfig("shop", tmp_path / "shop", Policy(None, (3, 4)), {"stable": 3, "canary": 4}),
    )


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("", Policy(1)),
        ("model_version_policy { latest { num_versions: 2 } }", Policy(2)),
        ("model_version_policy { latest { } }", Policy(1)),
        ("model_version_policy { all { } }", Policy(None)),
        ("model_version_policy { specific { versions: 7 } }", Policy(None, (7,))),
    ],
)
def test_policies_are_read(tmp_path, text, policy):
    assert read(f"{MODEL} {text}", tmp_path)[0].policy == policy


def test_a_folder_inside_a_container_stands_for_the_one_here(tmp_path):
    (tmp_path / "shop").mkdir()
    assert read('name: "shop" base_path: "/models/elsewhere/shop"', tmp_path)[0].folder == tmp_path / "shop"
    (tmp_path / "there").mkdir()
    assert read(f'name: "shop" base_path: "{tmp_path}/there"', tmp_path)[0].folder == tmp_path / "there"
    assert str(read('name: "none" base_path: "/models/none"', tmp_path)[0].folder) == "/models/none"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model_config_list { config {", "expected a ModelServerConfig in text format in models.config"),
        ("model_config_list { config { nme: 1 } }", "expected a ModelServerConfig in text format"),
        ("", "models.config: expected model_config_list"),
        ("model_config_list { config { } }", "expected name and base_path"),
        ('model_config_list { config { name: "a" base_path: "a" model_platform: "x" } }', "expected model_platform"),
        (f"model_config_list {{ config {{ {MODEL} }} config {{ {MODEL} }} }}", "received shop 2 times"),
        (f"model_config_list {{ config {{ {MODEL} version_labels {{ value: 1 }} }} }}", "expected labels with names"),
    ],
)
def test_configurations_that_cannot_be_are_refused(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        read_config(text, tmp_path, "models.config")
