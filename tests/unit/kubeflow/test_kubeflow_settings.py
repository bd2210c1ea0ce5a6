import pytest

from interest_migration.errors import ConfigError
from pipeline.kubeflow.settings import KubeflowSettings, StepSettings

IMAGE = {"image": "registry/name@sha256:0"}


def read(**values: object) -> KubeflowSettings:
    return KubeflowSettings.from_values({**IMAGE, **values}, source="kubeflow")


def test_a_step_replaces_values_and_adds_to_lists_and_mappings() -> None:
    first, second = {"claim": "a", "path": "/a"}, {"claim": "b", "path": "/b/"}
    settings = read(
        defaults={"memory": "2Gi", "cpu": "1", "mounts": [first], "environment": {"X": "1", "Y": "1"}},
        steps={"Trainer": {"memory": "8Gi", "mounts": [second], "environment": {"Y": "2"}}},
    )
    step = settings.step("Trainer")
    assert (step.memory, step.cpu) == ("8Gi", "1")
    assert [mount.path for mount in step.mounts] == ["/a", "/b"]
    assert step.environment == {"X": "1", "Y": "2"}
    assert settings.step("Flows") == settings.defaults


def test_what_a_step_does_not_set_is_the_default() -> None:
    settings = read(defaults={"cache": False, "retries": {"count": 2}}, steps={"Trainer": {"cpu": "4"}})
    step = settings.step("Trainer")
    assert (step.cache, step.retries.count) == (False, 2)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"defaults": {"memory": "4 GB"}}, r"defaults.memory: .*expected a quantity .* 4Gi, received '4 GB'"),
        ({"defaults": {"cpu": True}}, "defaults.cpu"),
        ({"defaults": {"tolerations": [{"key": "x", "operator": "Exists", "value": "y"}]}}, "no value with operator"),
        ({"defaults": {"tolerations": [{"effect": "NoSchedule"}]}}, "expected a key"),
        ({"defaults": {"tolerations": [{"key": "x", "seconds": 5}]}}, "expected effect NoExecute"),
        ({"defaults": {"cpu": "-1"}}, "defaults.cpu"),
        ({"defaults": {"mounts": [{"claim": "a", "path": "relative"}]}}, "absolute path"),
        ({"defaults": {"mounts": [{"claim": "a", "path": "/minio/"}]}}, "does not mount itself; folders below it can"),
        ({"defaults": {"mounts": [{"claim": "A_b", "path": "/a"}]}}, "claim"),
        ({"defaults": {"secrets": [{"secret": "s", "variables": {}}]}}, "variables"),
        ({"defaults": {"secrets": [{"secret": "s", "variables": {"1X": "key"}}]}}, "variables"),
        ({"steps": {"Trainer": {"accelerator": {"type": "gpu"}}}}, "accelerator.type"),
        ({"pipeline_root": "/local"}, "pipeline_root"),
        ({"pipeline_root": "file:///x"}, "pipeline_root"),
        ({"steps": {"Trainer": {"gpus": 1}}}, "gpus"),
        ({"image": ""}, "image"),
    ],
)
def test_wrong_values_name_the_field(values: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(**values)


@pytest.mark.parametrize("quantity", ["1", "500m", "1.5", "4Gi", "128974848", "2G", "1Ki"])
def test_quantities_of_kubernetes(quantity: str) -> None:
    assert StepSettings(memory=quantity).memory == quantity


def test_a_number_is_a_quantity_too() -> None:
    step = read(defaults={"cpu": 2, "cpu_request": 0.5}).defaults
    assert (step.cpu, step.cpu_request) == ("2", "0.5")
