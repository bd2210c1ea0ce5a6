"""Plain HTTP against the local server."""

import base64
import gzip
import json

import httpx
import pytest
from served_models import MODEL, example

PREDICT = f"/v1/models/{MODEL}:predict"


@pytest.fixture(scope="module")
def http(shop_server):
    with httpx.Client(base_url=shop_server.rest_url) as client:
        yield client


def b64(data):
    return {"b64": base64.b64encode(data).decode()}


def body(**changes):
    return {
        "signature_name": "predict",
        "inputs": {"name": ["a", b64(b"\xff")], "numbers": [[1, 2.5], [3, 4]], "age": [5, 6]},
    } | changes


def test_columnar_format(http):
    response = http.post(PREDICT, json=body())
    assert response.json() == {
        "outputs": {
            "total": [8.5, 13.0],
            "greeting": ["hello a", "hello \ufffd"],
            "echo_bytes": [b64(b"a"), b64(b"\xff")],
            "version": [4, 4],
        }
    }
    assert response.headers["content-type"].startswith("application/json")
    assert response.headers["x-model-version"] == "4"


def test_row_format(http):
    rows = [{"name": "a", "numbers": [1, 2], "age": 3}, {"name": "b", "numbers": [0, 0], "age": 1}]
    assert http.post(PREDICT, json={"signature_name": "predict", "instances": rows}).json() == {
        "predictions": [
            {"total": 6.0, "greeting": "hello a", "echo_bytes": b64(b"a"), "version": 4},
            {"total": 1.0, "greeting": "hello b", "echo_bytes": b64(b"b"), "version": 4},
        ]
    }


@pytest.mark.parametrize("document", [{"instances": [b64(example(2.0))]}, {"inputs": [b64(example(2.0))]}])
def test_one_input_needs_no_name(http, document):
    found = http.post(PREDICT, json=document).json()
    assert found in ({"predictions": [{"score": 8.0, "version": 4}]}, {"outputs": {"score": [8.0], "version": [4]}})


@pytest.mark.parametrize(("path", "version"), [("versions/3", 3), ("labels/stable", 3), ("labels/canary", 4)])
def test_versions_and_labels_choose(http, path, version):
    response = http.post(f"/v1/models/{MODEL}/{path}:predict", json={"instances": [b64(example(1.0))]})
    assert response.json() == {"predictions": [{"score": float(version), "version": version}]}


def test_status_and_metadata(http):
    assert http.get(f"/v1/models/{MODEL}/versions/3").json() == {
        "model_version_status": [
            {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]
    }
    assert len(http.get(f"/v1/models/{MODEL}").json()["model_version_status"]) == 2
    found = http.get(f"/v1/models/{MODEL}/labels/stable/metadata").json()
    assert found["model_spec"] == {"name": MODEL, "signature_name": "", "version": "3"}
    shown = found["metadata"]["signature_def"]["signature_def"]["predict"]["inputs"]["age"]
    assert (shown["dtype"], shown["tensor_shape"]["dim"]) == ("DT_INT64", [{"size": "-1", "name": ""}])


def inputs(**changes):
    return body(inputs={"name": ["a"], "numbers": [[1]], "age": [1]} | changes)


WRONG_PLACES = {
    "nobody:predict": (404, "Servable not found for request: Latest(nobody)"),
    "shop/versions/2:predict": (404, "Servable not found for request: Specific(shop, 2)"),
    "shop/labels/beta:predict": (400, "Unrecognized servable version label: beta"),
    f"shop/versions/{10**30}:predict": (400, f"Failed to convert version: {10**30} to numeric."),
    f"shop/versions/{'9' * 5000}:predict": (400, f"Failed to convert version: {'9' * 5000} to numeric."),
    "shop/versions/٣:predict": (400, "Malformed request: POST /v1/models/shop/versions/٣:predict"),
    "shop:guess": (400, "Malformed request: POST /v1/models/shop:guess"),
    "shop": (400, "Malformed request: POST /v1/models/shop"),
    "shop/versions/x:predict": (400, "Malformed request: POST /v1/models/shop/versions/x:predict"),
}
WRONG_BODIES = [
    (body(signature_name="ask"), 'Serving signature name: "ask" not found in signature def'),
    (body(signature_name=3), "'signature_name' key must be a string value."),
    ({"signature_name": "predict"}, "Missing 'inputs' or 'instances' key"),
    (
        body(instances=[]),
        "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist",
    ),
    ({"instances": []}, "No values in 'instances' array"),
    ({"instances": 3}, "Expecting 'instances' to be an list/array"),
    ({"instances": [1]}, "input examples: JSON Value: 1 Type: int is not of expected type: string"),
    ({"instances": [{"b64": "?"}]}, "input examples: Unable to base64 decode"),
    ([1], "JSON Value: Is not object"),
    (
        body(inputs=[1]),
        "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
        "tensorinfo_map",
    ),
    (body(inputs={"name": ["a"]}), "Missing named input: age in 'inputs' object."),
    (inputs(age=[1.5]), "input age: JSON Value: 1.5 Type: float is not of expected type: int64"),
    (
        inputs(age=[1 << 63]),
        f"input age: expected values from {-(1 << 63)} to {(1 << 63) - 1}, received one outside",
    ),
    (inputs(age=[True]), "input age: JSON Value: True Type: bool is not of expected type: int64"),
    (inputs(numbers=[[1e300]]), "input numbers: Cannot convert JSON value to float32 without loss of precision."),
    (
        inputs(numbers=[[1], [1, 2]]),
        "input numbers: Encountered list at unexpected size: 2 at level: 1 expected size: 1",
    ),
    (inputs(numbers=[1]), "input numbers: expected a tensor of shape [?,?], received [1]"),
]


@pytest.mark.parametrize("place", WRONG_PLACES)
def test_wrong_places_are_refused_in_tensorflow_servings_words(http, place):
    response = http.post(f"/v1/models/{place}", json=body())
    status, message = WRONG_PLACES[place]
    assert (response.status_code, response.json()) == (status, {"error": message})


@pytest.mark.parametrize(("document", "message"), WRONG_BODIES)
def test_wrong_bodies_are_refused_in_tensorflow_servings_words(http, document, message):
    response = http.post(PREDICT, json=document)
    assert (response.status_code, response.json()) == (400, {"error": message})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b"{", "JSON Parse error: Expecting property name"),
        (b"\xff\xfe", "JSON Parse error: "),
        (b"[" * 100_000, "JSON Parse error: "),
        (b'{"inputs": ' + b"9" * 10_000 + b"}", "JSON Parse error: "),
        (b'{"inputs": ["\\ud800"]}', "input examples: expected Unicode text"),
    ],
)
def test_bodies_that_are_no_json_are_refused(http, content, message):
    response = http.post(PREDICT, content=content)
    assert response.status_code == 400
    assert response.json()["error"].startswith(message)


def test_compressed_bodies_are_read_and_damaged_ones_refused(http):
    headers, whole = {"Content-Encoding": "gzip"}, gzip.compress(json.dumps(body()).encode())
    assert http.post(PREDICT, content=whole, headers=headers).json() == http.post(PREDICT, json=body()).json()
    response = http.post(PREDICT, content=b"no gzip", headers=headers)
    assert response.status_code == 400
    assert response.json() == {"error": "expected a body of Content-Encoding gzip, received bytes that are none"}
    assert response.headers["Connection"] == "close"


def test_a_compressed_body_is_as_large_as_what_comes_of_it(http):
    bomb = gzip.compress(b" " * ((1 << 18) + 1))
    assert http.post(PREDICT, content=bomb, headers={"Content-Encoding": "gzip"}).status_code == 413


def test_too_large_a_body_is_refused(http):
    response = http.post(PREDICT, content=b" " * ((1 << 18) + 1))
    assert response.status_code == 413
    assert "exceeded" in response.json()["error"]


def test_other_methods_and_paths(http):
    assert http.get(PREDICT).json() == {"error": f"Malformed request: GET {PREDICT}"}
    assert http.get("/v2/models").status_code == 404
    assert http.get("/v1/models/nobody").json() == {"error": "Could not find any versions of model nobody"}
    assert http.post(f"/v1/models/{MODEL}:classify", json={"examples": [{}]}).status_code == 400


def test_health_models_and_metrics(http):
    assert http.get("/healthz").json() == {"status": "alive"}
    assert http.get("/readyz").json() == {"status": "ready"}
    [model] = http.get("/monitoring/models").json()["models"]
    assert model["labels"] == {"stable": 3, "canary": 4}
    assert [(each["version"], each["state"]) for each in model["versions"]] == [(4, "AVAILABLE"), (3, "AVAILABLE")]

    def count(code, signature):
        labels = f'code="{code}",model="{MODEL}",protocol="rest",signature="{signature}",version="3"'
        lines = http.get("/monitoring/prometheus/metrics").text.splitlines()
        found = [line for line in lines if line.startswith(f"interest_migration_requests_total{{{labels}}}")]
        return float(found[0].split()[-1]) if found else 0.0

    before = count("OK", "serving_default"), count("INVALID_ARGUMENT", "")
    path = f"/v1/models/{MODEL}/versions/3:predict"
    http.post(path, json={"instances": [b64(example(1.0))]})
    http.post(path, json=body(signature_name="made up by a client"))
    assert (count("OK", "serving_default"), count("INVALID_ARGUMENT", "")) == (before[0] + 1, before[1] + 1)
