"""The official stubs of tensorflow-serving-api against the local server."""

import grpc
import pytest
import tensorflow as tf
from served_models import MODEL, example
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

CODE = grpc.StatusCode


@pytest.fixture(scope="module")
def channel(shop_server):
    with grpc.insecure_channel(shop_server.grpc_address) as channel:
        yield channel


@pytest.fixture(scope="module")
def prediction(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="module")
def models(channel):
    return model_service_pb2_grpc.ModelServiceStub(channel)


def columns(name=(b"a", b"b"), numbers=((1.0, 2.0), (3.0, 4.0)), age=(5, 6)):
    return {
        "name": tf.constant(name, tf.string),
        "numbers": tf.constant(numbers, tf.float32),
        "age": tf.constant(age, tf.int64),
    }


def request_of(signature="predict", inputs=None, version=None, label=None, outputs=(), name=MODEL):
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name, request.model_spec.signature_name = name, signature
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    for key, value in (columns() if inputs is None else inputs).items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return request


def refusal(call, request):
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    return caught.value.code(), caught.value.details()


def test_a_signature_answers_with_typed_values_and_names_its_version(prediction):
    response = prediction.Predict(request_of())
    assert list(response.outputs["total"].float_val) == [8.0, 13.0]
    assert list(response.outputs["greeting"].string_val) == [b"hello a", b"hello b"]
    assert list(response.outputs["version"].int64_val) == [4, 4]
    assert (response.model_spec.name, response.model_spec.version.value) == (MODEL, 4)
    assert response.model_spec.signature_name == "predict"


@pytest.mark.parametrize(
    ("choice", "version"),
    [({}, 4), ({"version": 3}, 3), ({"version": 4}, 4), ({"label": "stable"}, 3), ({"label": "canary"}, 4)],
)
def test_versions_and_labels_choose(prediction, choice, version):
    response = prediction.Predict(request_of("", {"examples": tf.constant([example(2.0)])}, **choice))
    assert response.model_spec.version.value == version
    assert tf.make_ndarray(response.outputs["score"]).tolist() == [2.0 * version]
    assert response.model_spec.signature_name == "serving_default"


def test_outputs_can_be_picked(prediction):
    assert set(prediction.Predict(request_of(outputs=["total"])).outputs) == {"total"}
    code, details = refusal(prediction.Predict, request_of(outputs=["sum"]))
    assert code is CODE.INVALID_ARGUMENT
    assert details.startswith("output tensor alias not found in signature: sum Outputs expected to be in the set {")
    assert refusal(prediction.Predict, request_of(outputs=["total", "total"])) == (
        CODE.INVALID_ARGUMENT,
        "duplicate output tensor alias: total",
    )


@pytest.mark.parametrize(
    ("changes", "code", "details"),
    [
        ({"name": "nobody"}, CODE.NOT_FOUND, "Servable not found for request: Latest(nobody)"),
        ({"version": 2}, CODE.NOT_FOUND, "Servable not found for request: Specific(shop, 2)"),
        ({"version": 99}, CODE.NOT_FOUND, "Servable not found for request: Specific(shop, 99)"),
        ({"label": "beta"}, CODE.INVALID_ARGUMENT, "Unrecognized servable version label: beta"),
        ({"name": ""}, CODE.INVALID_ARGUMENT, "ModelSpec has no name specified."),
        ({"signature": "ask"}, CODE.FAILED_PRECONDITION, 'Serving signature key "ask" not found.'),
        (
            {"inputs": {"name": tf.constant(["a"]), "size": tf.constant([1])}},
            CODE.INVALID_ARGUMENT,
            "input size does not match signature: 2!=3 len({name,size}) != len({age,name,numbers}). "
            "Sent extra: {size}. Missing but required: {age,numbers}.",
        ),
        (
            {"inputs": columns() | {"age": tf.constant([1.0, 2.0])}},
            CODE.INVALID_ARGUMENT,
            "Expects arg age to be int64 but float32 is provided",
        ),
        (
            {"inputs": columns(age=((5, 6),))},
            CODE.INVALID_ARGUMENT,
            "input age: expected a tensor of shape [?], received [1,2]",
        ),
        (
            {"inputs": columns([b"a"] * 101, [[1.0]] * 101, [1] * 101)},
            CODE.INVALID_ARGUMENT,
            "Task size 101 is larger than maximum input batch size 100",
        ),
    ],
)
def test_wrong_requests_are_refused_in_tensorflow_servings_words(prediction, changes, code, details):
    assert refusal(prediction.Predict, request_of(**changes)) == (code, details)


def test_values_that_the_graph_refuses_are_the_clients_fault(prediction):
    code, details = refusal(prediction.Predict, request_of(inputs=columns(age=(1, -7))))
    assert code is CODE.INVALID_ARGUMENT
    assert details.startswith("assertion failed: [age below 0]")
    for broken in (b"no example", b"\x89PNG \xff"):  # the message quotes it, text or not
        code, details = refusal(prediction.Predict, request_of("", {"examples": tf.constant([broken])}))
        assert (code, "Could not parse example input" in details) == (CODE.INVALID_ARGUMENT, True)


def test_a_request_without_model_spec_is_refused(prediction):
    assert refusal(prediction.Predict, predict_pb2.PredictRequest()) == (CODE.INVALID_ARGUMENT, "Missing ModelSpec")


def test_too_large_a_request_is_refused_by_grpc(prediction):
    large = columns(name=(b"x" * (1 << 18), b""))
    assert refusal(prediction.Predict, request_of(inputs=large))[0] is CODE.RESOURCE_EXHAUSTED


def test_a_tensor_that_claims_a_huge_shape_takes_no_memory(prediction):
    request = request_of()
    request.inputs["numbers"].Clear()
    request.inputs["numbers"].dtype = 1
    request.inputs["numbers"].float_val.append(1.0)
    for size in (1 << 30, 1 << 30):
        request.inputs["numbers"].tensor_shape.dim.add().size = size
    code, details = refusal(prediction.Predict, request)
    assert code is CODE.INVALID_ARGUMENT
    assert "expected at most 16777216 values in a tensor" in details


def test_a_deadline_is_kept(prediction):
    with pytest.raises(grpc.RpcError) as caught:
        prediction.Predict(request_of(), timeout=1e-6)
    assert caught.value.code() is CODE.DEADLINE_EXCEEDED


def test_metadata_are_the_signatures_of_the_saved_model(prediction):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name, request.model_spec.version_label = MODEL, "stable"
    response = prediction.GetModelMetadata(request)
    assert response.model_spec.version.value == 3
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert {"serving_default", "predict"} <= set(signatures.signature_def)
    found = signatures.signature_def["predict"]
    assert set(found.inputs) == {"name", "numbers", "age"}
    assert found.inputs["numbers"].dtype == 1
    assert [dim.size for dim in found.inputs["numbers"].tensor_shape.dim] == [-1, -1]
    request.ClearField("metadata_field")
    assert refusal(prediction.GetModelMetadata, request)[0] is CODE.INVALID_ARGUMENT
    request.metadata_field.append("graph")
    assert refusal(prediction.GetModelMetadata, request) == (
        CODE.INVALID_ARGUMENT,
        "Metadata field graph is not supported",
    )


def test_status_lists_versions_newest_first(models):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = MODEL
    found = [(each.version, each.state) for each in models.GetModelStatus(request).model_version_status]
    assert found == [(4, 30), (3, 30)]
    request.model_spec.version.value = 3
    assert [each.version for each in models.GetModelStatus(request).model_version_status] == [3]
    request.model_spec.version.value = 9
    assert refusal(models.GetModelStatus, request) == (CODE.NOT_FOUND, "Could not find version 9 of model shop")
    request.model_spec.name = "nobody"
    assert refusal(models.GetModelStatus, request) == (
        CODE.NOT_FOUND,
        "Could not find any versions of model nobody",
    )


def test_other_methods_answer_what_they_would_without_such_signatures(prediction):
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = MODEL
    code, details = refusal(prediction.Classify, request)
    assert (code, "Expected Classification signature" in details) == (CODE.INVALID_ARGUMENT, True)


def test_a_configuration_that_cannot_be_is_refused(models):
    request = model_management_pb2.ReloadConfigRequest()
    assert refusal(models.HandleReloadConfigRequest, request)[0] is CODE.INVALID_ARGUMENT
    for _ in range(2):
        request.config.model_config_list.config.add(name=MODEL, base_path="shop", model_platform="tensorflow")
    assert refusal(models.HandleReloadConfigRequest, request) == (
        CODE.INVALID_ARGUMENT,
        "expected every model once, received shop 2 times",
    )
