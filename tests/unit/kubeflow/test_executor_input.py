"""What the backend sends and takes, in literals as its driver writes them."""

import json
from typing import Any

from pipeline.kubeflow.executor_input import prepare_input, restore_output
from pipeline.kubeflow.local_copies import LocalCopies

COPIES = LocalCopies()
MODEL = {"instanceSchema": "title: tfx.Model\ntype: object\n"}
SPEC = {
    "artifacts": {"model": {"artifactType": MODEL}},
    "parameters": {
        "custom_config": {"parameterType": "STRING"},
        "epochs": {"parameterType": "NUMBER_INTEGER"},
        "status": {"parameterType": "STRUCT"},
    },
}


def given(**changes: Any) -> dict[str, Any]:
    artifact = {
        "name": "7",
        "type": {"instanceSchema": ""},
        "uri": "minio://b/run/Trainer/1/model",
        "metadata": {"note": "see minio://b/run/log", "steps": 3.0},
    }
    output = {"name": "pushed", "uri": "minio://b/run/Pusher/2/pushed", "type": {"schemaTitle": "tfx.PushedModel"}}
    logs = {"name": "executor-logs", "uri": "minio://b/logs", "type": {"schemaTitle": "system.Artifact"}}
    return {
        "inputs": {"artifacts": {"model": {"artifacts": [{**artifact, **changes}]}}, "parameterValues": {}},
        "outputs": {
            "artifacts": {"pushed": {"artifacts": [output]}, "executor-logs": {"artifacts": [logs]}},
            "outputFile": "/minio/b/run/Pusher/2/output_metadata.json",
        },
    }


def prepare(values: dict[str, Any], overrides: dict[str, list[str]] | None = None) -> dict[str, Any]:
    return prepare_input(values, SPEC, overrides or {}, COPIES)


def test_inputs_get_their_types_and_local_places() -> None:
    (artifact,) = prepare(given())["inputs"]["artifacts"]["model"]["artifacts"]
    assert artifact == {
        "name": "7",
        "type": MODEL,
        "uri": "/minio/b/run/Trainer/1/model",
        "metadata": {"note": "see /minio/b/run/log", "steps": 3.0},
    }


def test_outputs_are_local_and_the_backends_own_are_left_out() -> None:
    outputs = prepare(given())["outputs"]
    assert list(outputs["artifacts"]) == ["pushed"]
    assert outputs["artifacts"]["pushed"]["artifacts"][0]["uri"] == "/minio/b/run/Pusher/2/pushed"
    assert outputs["outputFile"] == "/minio/b/run/Pusher/2/output_metadata.json"


def test_a_parameter_of_the_pipeline_is_written_into_json() -> None:
    values = given()
    config = json.dumps({"training": {"epochs": 3, "batch_size": 64}})
    values["inputs"]["parameterValues"] = {"custom_config": config, "epochs": 5.0}
    found = prepare(values, {"epochs": ["custom_config", "training", "epochs"]})["inputs"]["parameterValues"]
    assert list(found) == ["custom_config"]
    assert json.loads(found["custom_config"]) == {"training": {"epochs": 5, "batch_size": 64}}


def test_structures_become_json_as_tfx_reads_them() -> None:
    values = given()
    values["inputs"]["parameterValues"] = {"status": {"state": "FAILED"}, "epochs": 2.0}
    found = prepare(values)["inputs"]["parameterValues"]
    assert found == {"status": '{"state": "FAILED"}', "epochs": 2}
    assert isinstance(found["epochs"], int)


def answer(uri: str, **metadata: Any) -> dict[str, Any]:
    return {"artifacts": {"pushed": {"artifacts": [{"name": "pushed", "uri": uri, "metadata": metadata}]}}}


def test_the_answer_names_addresses_again() -> None:
    restored = restore_output(answer("/minio/b/run/Pusher/2/pushed", from_="/minio/b/x"), given(), COPIES)
    (artifact,) = restored["artifacts"]["pushed"]["artifacts"]
    assert artifact["uri"] == "minio://b/run/Pusher/2/pushed"
    assert artifact["metadata"] == {"from_": "minio://b/x"}


def test_what_lies_outside_of_the_store_keeps_its_address_there_and_is_found_again() -> None:
    restored = restore_output(answer("/mnt/models/interests/3", found=1.0), given(), COPIES)
    (artifact,) = restored["artifacts"]["pushed"]["artifacts"]
    assert artifact["uri"] == "minio://b/run/Pusher/2/pushed"
    (found,) = prepare(given(**artifact))["inputs"]["artifacts"]["model"]["artifacts"]
    assert found["uri"] == "/mnt/models/interests/3"
    assert found["metadata"] == {"found": 1.0}


def test_empty_values_which_the_metadata_store_refuses_are_left_out() -> None:
    restored = restore_output(answer("/minio/b/run/Pusher/2/pushed", kept="x", empty=None), given(), COPIES)
    assert restored["artifacts"]["pushed"]["artifacts"][0]["metadata"] == {"kept": "x"}


def test_a_step_without_inputs_or_outputs() -> None:
    values = {"outputs": {"outputFile": "/tmp/kfp_outputs/output_metadata.json"}}
    prepared = prepare_input(values, {}, {}, COPIES)
    assert prepared["inputs"] == {"artifacts": {}, "parameterValues": {}}
    assert prepared["outputs"]["artifacts"] == {}
    assert restore_output({}, values, COPIES) == {}
