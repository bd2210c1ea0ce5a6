"""What the client is given, and what it makes of it; without TensorFlow."""

import subprocess
import sys

import numpy as np
import pytest

import interest_migration.client as client
from interest_migration.client import AnswerError, Client, Event, Outputs, User
from interest_migration.client.connections import Address
from interest_migration.client.errors import of_response
from interest_migration.client.exchanges import Reply
from interest_migration.client.grpc_protocol import GrpcProtocol
from interest_migration.client.predictions import predictions_of
from interest_migration.client.queries import Query, SignatureInfo, Target, TensorInfo
from interest_migration.client.rest_protocol import RestProtocol
from interest_migration.client.user_files import read_users
from interest_migration.client.users import columns_of
from interest_migration.errors import ConfigError, ContractError, DataError

HEAVY = ("tensorflow", "tfx", "apache_beam", "keras", "pyarrow", "pandas")


def test_the_client_is_light():
    code = f"import sys, interest_migration.client; print([m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_all_names_are_there():
    assert sorted(client.__all__) == client.__all__
    assert all(hasattr(client, name) for name in client.__all__)


def test_users_become_columns():
    users = [
        User([Event(50, "view", item="lamp", price=2.5), Event(60, "purchase", item="bed")], at_s=100),
        User([Event(10, "view", item="tea")]),
        User(),
    ]
    columns = columns_of(users, now_s=200)
    assert columns["cut_time_s"].tolist() == [100, 200, 200]
    assert columns["time_s"].tolist() == [[50, 60], [10, 0], [0, 0]]
    assert columns["action"].tolist() == [["view", "purchase"], ["view", ""], ["", ""]]
    assert columns["item"].tolist() == [["lamp", "bed"], ["tea", ""], ["", ""]]
    assert columns["price"].tolist() == [[2.5, -1], [-1, -1], [-1, -1]]
    assert columns["brand"].tolist() == [[""], [""], [""]]  # no event has one
    assert {name: value.dtype.name for name, value in columns.items() if name in ("time_s", "price", "item")} == {
        "time_s": "int64",
        "price": "float32",
        "item": "object",
    }


def test_users_without_any_event_have_one_empty_slot():
    assert columns_of([User()], now_s=5)["action"].tolist() == [[""]]
    with pytest.raises(ContractError, match="expected at least one user"):
        columns_of([])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{", "expected JSON in users.json"),
        (b'{"events": [{"time_s": 1, "action": "stare"}]}', "expected an action of view, click"),
        (b'{"events": [{"action": "view"}]}', "0.events.0.time_s: Field required"),
        (b'{"events": [], "cut": 3}', "0.cut: Unexpected keyword argument"),
        (b'[{"events": [{"time_s": 1, "action": "view", "sku": "x"}]}]', "0.events.0.sku"),
        (b"[3]", "0: Input should be a dictionary"),
    ],
)
def test_files_that_hold_no_users_are_refused(text, words):
    with pytest.raises(DataError, match=words.replace(".", r"\.")):
        read_users(text, "users.json")


def test_files_of_users():
    [one] = read_users(b'{"name": "a", "events": [{"time_s": 1, "action": "view", "price": 2}]}', "x")
    assert one == User([Event(1, "view", price=2.0)], None, "a")
    assert len(read_users(b"[{}, {}]", "x")) == 2


@pytest.mark.parametrize("text", ["localhost:8500", "ftp://x", "grpc://", ""])
def test_addresses_have_a_protocol(text):
    with pytest.raises(ConfigError, match="expected an address such as grpc://"):
        Client(text, "interests")


def test_addresses():
    assert Address.parse("grpc://host:1") == Address("grpc", "host:1")
    assert Address.parse("https://host/") == Address("http", "https://host")


def test_a_version_and_a_label_exclude_each_other():
    with pytest.raises(ContractError, match="expected a version or a label"):
        Client("grpc://host:1", "interests", version=1, label="stable")


TYPES = SignatureInfo({}, {"names": TensorInfo(7, (-1, 2)), "score": TensorInfo(1, (-1,))})
QUERY = Query(Target("shop"), "predict", {"x": [b"\x00\x01"], "text": ["a"]})


def test_rest_requests_keep_bytes_and_types():
    exchange = RestProtocol().predict(Query(Target("a/b", label="x y"), "s", {"x": [b"\x00"], "n": [[1]]}), TYPES)
    assert exchange.path == "/v1/models/a%2Fb/labels/x%20y:predict"
    assert exchange.body == b'{"signature_name":"s","inputs":{"x":[{"b64":"AA=="}],"n":[[1]]}}'


def test_rest_answers_get_the_types_of_the_signature():
    body = b'{"outputs": {"names": [["a", {"b64": "AAE="}]], "score": [0.1]}}'
    outputs = RestProtocol().read_predict(Reply(body, 4), QUERY, TYPES)
    assert (outputs.version, outputs["names"].tolist()) == (4, [[b"a", b"\x00\x01"]])
    assert outputs["score"] == np.float32(0.1)
    empty = RestProtocol().read_predict(Reply(b'{"outputs": {"names": [], "score": []}}'), QUERY, TYPES)
    assert (empty.version, empty["names"].shape, empty["score"].shape) == (None, (0, 2), (0,))


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"outputs": {"score": [1]}}', b'{"outputs": 3}', b"[]"])
def test_rest_answers_that_are_none_are_said_to_be(body):
    with pytest.raises(AnswerError):
        RestProtocol().read_predict(Reply(body), QUERY, TYPES)
    with pytest.raises(AnswerError):
        RestProtocol().read_status(Reply(body))
    with pytest.raises(AnswerError):
        RestProtocol().read_metadata(Reply(body))


def test_grpc_answers_that_are_none_are_said_to_be():
    with pytest.raises(AnswerError, match="expected a PredictResponse"):
        GrpcProtocol().read_predict(Reply(b"\xff"), QUERY, None)
    exchange = GrpcProtocol().predict(QUERY, None)
    with pytest.raises(AnswerError):
        GrpcProtocol().read_status(Reply(exchange.body[:-1]))


def test_outputs_of_another_signature_are_no_predictions():
    with pytest.raises(AnswerError, match="expected the outputs of the signature predict"):
        predictions_of(Outputs(1, {"score": np.zeros(1)}), ["a"])


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, b'{"error": "no"}', client.RequestError, "HTTP 400: no"),
        (404, b'{"error": "no"}', client.NotFoundError, "no"),
        (413, b"too large", client.RequestError, "too large"),
        (429, b'{"error": "busy"}', client.OverloadedError, "busy"),
        (503, b"<html>", client.UnavailableError, "<html>"),
        (504, b"[1]", client.TimedOutError, r"\[1\]"),
        (500, b'{"error": 3}', client.ServerError, "3"),
    ],
)
def test_statuses_have_errors_of_their_own(status, body, kind, words):
    error = of_response(status, body, "host")
    assert type(error) is kind
    with pytest.raises(kind, match=words):
        raise error
