"""Each defect of TFX's compiled form, as small as it can be."""

import json
from typing import Any

import pytest

from interest_migration.errors import ConfigError, ContractError
from pipeline.kubeflow.lifting import lift_parameters
from pipeline.kubeflow.repairs import repair
from pipeline.kubeflow.resources import give_resources
from pipeline.kubeflow.settings import KubeflowSettings

CONFIG = json.dumps({"training": {"epochs": 3}, "origin": {"data": "f00d", "key_id": "k", "erasure_digest": ""}})


def constant(value: object) -> dict[str, Any]:
    return {"runtimeValue": {"constant": value}}


def container(*arguments: str) -> dict[str, Any]:
    return {"container": {"image": "i", "command": ["python"], "args": ["{{$}}", *arguments], "lifecycle": {"x": {}}}}


def component(step: str, **kinds: str) -> dict[str, Any]:
    parameters = {name: {"parameterType": kind} for name, kind in kinds.items()}
    return {"executorLabel": f"{step}_executor", "inputDefinitions": {"parameters": parameters}}


def make_spec() -> dict[str, Any]:
    tasks = {
        "BehaviorExampleGen": {
            "componentRef": {"name": "BehaviorExampleGen"},
            "inputs": {"parameters": {"fingerprint": constant("f00d"), "span": constant(7.0)}},
        },
        "Trainer": {
            "componentRef": {"name": "Trainer"},
            "inputs": {"parameters": {"custom_config": constant(CONFIG)}},
            "dependentTasks": ["BehaviorExampleGen"],
        },
    }
    return {
        "schemaVersion": "2.0.0",
        "pipelineInfo": {"name": "shop"},
        "deploymentSpec": {
            "executors": {
                "BehaviorExampleGen_executor": container(),
                "Trainer_executor": container("--json_serialized_inputs_spec_args", "{}"),
            }
        },
        "components": {
            "tfx-dag": {"dag": {"tasks": tasks}},
            "BehaviorExampleGen": component("BehaviorExampleGen", fingerprint="STRING", span="NUMBER_INTEGER"),
            "Trainer": component("Trainer", custom_config="STRING"),
        },
        "root": {"dag": {"tasks": {"tfx-dag": {"componentRef": {"name": "tfx-dag"}}}}},
    }


def tasks_of(spec: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = spec["components"]["tfx-dag"]["dag"]["tasks"]
    return found


def arguments_of(spec: dict[str, Any], step: str) -> dict[str, str]:
    arguments = spec["deploymentSpec"]["executors"][f"{step}_executor"]["container"]["args"][1:]
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


def test_schema_version_and_lifecycle() -> None:
    spec = make_spec()
    repair(spec)
    assert spec["schemaVersion"] == "2.1.0"
    assert all("lifecycle" not in entry["container"] for entry in spec["deploymentSpec"]["executors"].values())


def test_a_producer_loses_the_suffix_that_no_task_has() -> None:
    spec = make_spec()
    source = {"taskOutputParameter": {"producerTask": "BehaviorExampleGen_task", "outputParameterKey": "n"}}
    tasks_of(spec)["Trainer"]["inputs"]["parameters"]["n"] = source
    repair(spec)
    assert source["taskOutputParameter"]["producerTask"] == "BehaviorExampleGen"


def test_a_producer_that_is_really_called_so_keeps_its_name() -> None:
    spec = make_spec()
    tasks_of(spec)["Copy_task"] = {"componentRef": {"name": "Trainer"}}
    source = {"taskOutputParameter": {"producerTask": "Copy_task", "outputParameterKey": "n"}}
    tasks_of(spec)["Trainer"]["inputs"]["parameters"]["n"] = source
    repair(spec)
    assert source["taskOutputParameter"]["producerTask"] == "Copy_task"


def test_types_of_the_ui_are_named_as_it_knows_them() -> None:
    spec = make_spec()
    own = {"artifactType": {"instanceSchema": "title: components.Flows\ntype: object\n"}}
    page = {"artifactType": {"instanceSchema": "title: system.HTML\ntype: object\n"}}
    spec["components"]["Trainer"]["outputDefinitions"] = {"artifacts": {"own": dict(own), "page": page}}
    repair(spec)
    assert page["artifactType"] == {"schemaTitle": "system.HTML", "schemaVersion": "0.0.1"}
    assert spec["components"]["Trainer"]["outputDefinitions"]["artifacts"]["own"] == own


@pytest.mark.parametrize("kind", ["resolver", "importer", "customJob"])
def test_steps_that_are_no_containers_are_refused(kind: str) -> None:
    spec = make_spec()
    spec["deploymentSpec"]["executors"]["Trainer_executor"] = {kind: {}}
    with pytest.raises(ContractError, match=f"Trainer_executor: {kind}"):
        repair(spec)


def test_conditions_and_missing_tasks_are_refused() -> None:
    spec = make_spec()
    tasks_of(spec)["Trainer"]["triggerPolicy"] = {"condition": "inputs.x == 1"}
    with pytest.raises(ContractError, match="without conditions"):
        repair(spec)
    spec = make_spec()
    tasks_of(spec)["Trainer"]["dependentTasks"] = ["Nobody"]
    with pytest.raises(ContractError, match="received Nobody"):
        repair(spec)


def test_parameters_have_the_compiled_values_as_defaults_and_reach_the_steps() -> None:
    spec = make_spec()
    repair(spec)
    values = {"data_fingerprint": "f00d", "span": 7, "key_id": "k", "erasure_digest": "", "training_epochs": 3}
    assert lift_parameters(spec) == values
    root = spec["root"]["inputDefinitions"]["parameters"]
    assert root["span"] == {"parameterType": "NUMBER_INTEGER", "defaultValue": 7, "isOptional": True}
    handed = spec["root"]["dag"]["tasks"]["tfx-dag"]["inputs"]["parameters"]
    assert handed["training_epochs"] == {"componentInputParameter": "training_epochs"}
    assert spec["components"]["tfx-dag"]["inputDefinitions"]["parameters"]["key_id"] == {"parameterType": "STRING"}
    assert tasks_of(spec)["BehaviorExampleGen"]["inputs"]["parameters"] == {
        "fingerprint": {"componentInputParameter": "data_fingerprint"},
        "span": {"componentInputParameter": "span"},
    }


def test_values_inside_json_are_told_to_the_container_with_their_types() -> None:
    spec = make_spec()
    repair(spec)
    lift_parameters(spec)
    arguments = arguments_of(spec, "Trainer")
    assert json.loads(arguments["--overrides"]) == {
        "data_fingerprint": ["custom_config", "origin", "data"],
        "erasure_digest": ["custom_config", "origin", "erasure_digest"],
        "key_id": ["custom_config", "origin", "key_id"],
        "training_epochs": ["custom_config", "training", "epochs"],
    }
    types = json.loads(arguments["--json_serialized_inputs_spec_args"])["parameters"]
    assert types["training_epochs"] == {"parameterType": "NUMBER_INTEGER"}
    assert set(tasks_of(spec)["Trainer"]["inputs"]["parameters"]) == set(types)
    assert arguments["--step"] == "Trainer"
    assert "--overrides" not in arguments_of(spec, "BehaviorExampleGen")


def test_what_is_compiled_is_the_same_whatever_the_defaults_are() -> None:
    text = CONFIG.replace("f00d", "beef").replace('"epochs": 3', '"epochs": 9')
    specs = [make_spec(), make_spec()]
    tasks_of(specs[1])["Trainer"]["inputs"]["parameters"]["custom_config"] = constant(text)
    tasks_of(specs[1])["BehaviorExampleGen"]["inputs"]["parameters"] |= {"fingerprint": constant("beef")}
    for spec in specs:
        repair(spec)
        lift_parameters(spec)
    assert specs[0].pop("root") != specs[1].pop("root")
    assert specs[0] == specs[1]


def test_one_parameter_cannot_stand_for_two_values() -> None:
    spec = make_spec()
    tasks_of(spec)["BehaviorExampleGen"]["inputs"]["parameters"]["fingerprint"] = constant("other")
    repair(spec)
    with pytest.raises(ContractError, match=r"one value of data_fingerprint .*'f00d', 'other'"):
        lift_parameters(spec)


def settings(**values: object) -> KubeflowSettings:
    return KubeflowSettings.from_values({"image": "i", **values}, source="kubeflow")


def test_resources_in_the_form_that_is_not_deprecated() -> None:
    spec = make_spec()
    repair(spec)
    trainer = {
        "memory": "4Gi",
        "cpu_request": "500m",
        "accelerator": {"type": "google.com/tpu", "count": 4},
        "environment": {"A": "own"},
        "retries": {"count": 2, "wait_seconds": 5},
        "image": "gpu",
    }
    give_resources(spec, settings(steps={"Trainer": trainer}), {"A": "all", "B": "all"})
    made = spec["deploymentSpec"]["executors"]["Trainer_executor"]["container"]
    assert made["image"] == "gpu"
    assert made["resources"] == {
        "resourceMemoryLimit": "4Gi",
        "resourceCpuRequest": "500m",
        "accelerator": {"resourceType": "google.com/tpu", "resourceCount": "4"},
    }
    assert made["env"] == [{"name": "A", "value": "own"}, {"name": "B", "value": "all"}]
    assert tasks_of(spec)["Trainer"]["retryPolicy"] == {
        "maxRetryCount": 2,
        "backoffDuration": "5s",
        "backoffFactor": 2.0,
        "backoffMaxDuration": "3600s",
    }
    other = spec["deploymentSpec"]["executors"]["BehaviorExampleGen_executor"]["container"]
    assert "resources" not in other
    assert "retryPolicy" not in tasks_of(spec)["BehaviorExampleGen"]


def test_caching_is_set_per_step() -> None:
    spec = make_spec()
    repair(spec)
    give_resources(spec, settings(steps={"Trainer": {"cache": False}}), {})
    assert tasks_of(spec)["Trainer"]["cachingOptions"] == {}
    assert tasks_of(spec)["BehaviorExampleGen"]["cachingOptions"] == {"enableCache": True}


def test_an_unknown_step_is_a_clear_error() -> None:
    spec = make_spec()
    repair(spec)
    with pytest.raises(
        ConfigError, match=r"expected steps of the pipeline \(BehaviorExampleGen, Trainer\), received Trian"
    ):
        give_resources(spec, settings(steps={"Trian": {"cpu": "1"}}), {})


@pytest.mark.parametrize(
    ("request_", "limit", "fits"), [("500m", "0.5", True), ("1Gi", "1G", False), ("2", "2000m", True)]
)
def test_no_step_reserves_more_than_its_limit(request_: str, limit: str, fits: bool) -> None:
    spec = make_spec()
    repair(spec)
    given = settings(defaults={"memory_request": request_}, steps={"Trainer": {"memory": limit}})
    if fits:
        give_resources(spec, given, {})
    else:
        words = rf"kubeflow.steps.Trainer.memory_request: expected at most the limit {limit}, received {request_}"
        with pytest.raises(ConfigError, match=words):
            give_resources(spec, given, {})
