"""Requests that no honest client sends: each is answered, with an error about the request, and nothing breaks.

6,000 requests in all: 300 examples of 10 requests over each protocol.
"""

import json
import string
from urllib.parse import quote

import grpc
import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st
from served_models import MODEL, example
from tensorflow_serving.apis import predict_pb2

from interest_migration.tensor_protos import fill_proto

REQUESTS = 10
THOROUGH = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
FAULTS_OF_REQUESTS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
}
METHODS = ("Predict", "Classify", "Regress", "GetModelMetadata")


def mostly(common, rare):
    """Four times out of five the first, so that requests get past the first checks."""
    return st.sampled_from([common] * 4 + [rare]).flatmap(lambda strategy: strategy)


words = st.text(string.ascii_letters + string.digits + "/:-_.% \x00é", max_size=8)
numbers = st.integers(-(1 << 65), 1 << 65) | st.floats(allow_nan=True) | st.booleans()
leaves = st.none() | numbers | st.text(max_size=6) | st.fixed_dictionaries({"b64": st.text(max_size=6)})
json_values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "numbers", "age", "b64", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)
columns = st.fixed_dictionaries(
    {
        "name": mostly(st.lists(st.text(max_size=4), max_size=2), json_values),
        "numbers": mostly(st.lists(st.lists(numbers, max_size=2), max_size=2), json_values),
        "age": mostly(st.lists(st.integers(-3, 9), max_size=2), json_values),
    },
    optional={"x": json_values},
)
forms = st.fixed_dictionaries({"inputs": columns}) | st.fixed_dictionaries({"instances": st.lists(columns, max_size=3)})
odd_forms = st.fixed_dictionaries({}, optional={"inputs": json_values, "instances": json_values})
signatures = mostly(st.sampled_from(["predict", "serving_default"]), json_values)
bodies = mostly(
    st.builds(lambda form, name: form | {"signature_name": name}, mostly(forms, odd_forms), signatures), json_values
).map(lambda value: json.dumps(value).encode())
paths = mostly(
    st.sampled_from([f"/v1/models/{MODEL}{place}:predict" for place in ("", "/versions/3", "/labels/canary")]),
    st.builds("/v1/models/{}{}{}".format, words, words, st.sampled_from([":predict", "/metadata", ":classify", ""])),
)
verbs = st.sampled_from(["POST"] * 8 + ["GET", "PUT", "DELETE"])
http_requests = st.tuples(verbs, paths, mostly(bodies, st.binary(max_size=64)))

tensors = st.fixed_dictionaries(
    {"dtype": st.sampled_from([0, 1, 2, 3, 7, 9, 10, 20, 23, 101])},
    optional={
        "shape": st.lists(st.sampled_from([-1, 0, 1, 2, 3, 1 << 40]), max_size=4),
        "unknown_rank": st.booleans(),
        "tensor_content": st.binary(max_size=16),
        "float_val": st.lists(st.floats(width=32), max_size=4),
        "int64_val": st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=4),
        "string_val": st.lists(st.binary(max_size=8) | st.just(example(1.0)), max_size=4),
        "int_val": st.lists(st.integers(-(1 << 31), (1 << 31) - 1), max_size=4),
    },
)
dtypes = st.sampled_from([np.float32, np.int64, np.float64, np.int32, np.uint64, np.bool_])
arrays = numpy_st.arrays(dtypes, numpy_st.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=2))
texts = st.lists(st.binary(max_size=8) | st.just(example(1.0)), max_size=2).map(lambda rows: np.array(rows, object))
sound = st.fixed_dictionaries(
    {
        "name": mostly(texts, arrays),
        "numbers": mostly(numpy_st.arrays(np.float32, st.tuples(*[st.integers(0, 2)] * 2)), arrays),
        "age": mostly(numpy_st.arrays(np.int64, st.integers(0, 2)), arrays),
    }
) | st.fixed_dictionaries({"examples": mostly(texts, arrays)})
odd = st.dictionaries(st.sampled_from(["name", "numbers", "age", "examples", "x"]), tensors | arrays, max_size=4)
messages = st.fixed_dictionaries(
    {
        "name": mostly(st.just(MODEL), st.sampled_from(["", "nobody"])),
        "signature": mostly(st.sampled_from(["predict", "serving_default"]), st.sampled_from(["", "ask"])),
        "inputs": mostly(sound, odd),
    },
    optional={
        "version": mostly(st.sampled_from([3, 4]), st.integers(-(1 << 63), (1 << 63) - 1)),
        "label": mostly(st.sampled_from(["stable", "canary"]), st.sampled_from(["", "é"])),
    },
)


def encode(values):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = values["name"], values["signature"]
    if "version" in values:
        request.model_spec.version.value = values["version"]
    if "label" in values:
        request.model_spec.version_label = values["label"]
    for name, tensor in values["inputs"].items():
        proto = request.inputs[name]
        if isinstance(tensor, np.ndarray):
            fill_proto(proto, tensor)
            continue
        proto.dtype = tensor["dtype"]
        proto.tensor_shape.unknown_rank = tensor.get("unknown_rank", False)
        for size in tensor.get("shape", ()):
            proto.tensor_shape.dim.add().size = size
        proto.tensor_content = tensor.get("tensor_content", b"")
        for field in ("float_val", "int64_val", "string_val", "int_val"):
            getattr(proto, field).extend(tensor.get(field, ()))
    return request.SerializeToString()


@st.composite
def damaged(draw):
    """A message with a byte changed or its end cut off."""
    data = bytearray(encode(draw(messages)))
    if data and draw(st.booleans()):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))])


payloads = mostly(messages.map(encode), st.binary(max_size=64) | damaged())
rpcs = st.tuples(st.sampled_from(METHODS[:1] * 5 + METHODS[1:]), payloads)


def code_of(call, data):
    try:
        call(data)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.fixture(scope="module")
def http(shop_server):
    with httpx.Client(base_url=shop_server.rest_url) as client:
        yield client
        [model] = client.get("/monitoring/models").json()["models"]
        assert [each["failures"] for each in model["versions"]] == [0, 0]
        assert client.get("/readyz").status_code == 200


@THOROUGH
@given(sent=st.lists(http_requests, min_size=REQUESTS, max_size=REQUESTS))
def test_http_requests_are_answered_with_4xx_at_worst(http, sent):
    for method, path, content in sent:
        response = http.request(method, quote(path, safe="/:%"), content=content)
        assert response.status_code == 200 or 400 <= response.status_code < 500, response.text
        if response.status_code != 200:
            assert list(response.json()) == ["error"]


@pytest.fixture(scope="module")
def rpc(http, shop_server):
    with grpc.insecure_channel(shop_server.grpc_address) as channel:
        yield {name: channel.unary_unary(f"/tensorflow.serving.PredictionService/{name}") for name in METHODS}


@THOROUGH
@given(sent=st.lists(rpcs, min_size=REQUESTS, max_size=REQUESTS))
def test_rpcs_are_answered_with_faults_of_the_request_at_worst(rpc, sent):
    for method, data in sent:
        assert code_of(rpc[method], data) in {grpc.StatusCode.OK, *FAULTS_OF_REQUESTS}, (method, data)
