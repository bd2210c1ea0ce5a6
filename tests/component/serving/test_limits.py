"""Deadlines, too many requests, and a stop while requests are under way."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import httpx
import pytest
from served_models import MODEL, copy_version, example

from interest_migration.client import (
    Client,
    ClientError,
    OverloadedError,
    RequestError,
    RetryPolicy,
    TimedOutError,
    UnavailableError,
)
from interest_migration.errors import ConfigError
from interest_migration.server.running import running
from interest_migration.server.settings import ServerSettings

ONCE = RetryPolicy(attempts=1)
CALL = "/tensorflow.serving.PredictionService/Predict"


@pytest.fixture(autouse=True, scope="module")
def clock():
    """The model that waits looks at the clock, which TensorFlow refuses once a training has asked for determinism."""
    from tensorflow.python.framework.config import disable_op_determinism

    disable_op_determinism()


@pytest.fixture(scope="module")
def models(tmp_path_factory, saved_model):
    models = tmp_path_factory.mktemp("limits")
    copy_version(saved_model, models, 1)
    return models


def settings(models, **changes):
    return ServerSettings(**({"models": models, "grpc_port": 0, "rest_port": 0} | changes))


def addresses(server):
    return f"grpc://{server.grpc_address}", server.rest_url


def wait(address, seconds, **options):
    with Client(address, MODEL, retries=ONCE, **options) as client:
        return client.call("wait", {"seconds": [seconds]})["waited"].tolist()


@pytest.fixture(scope="module")
def only_worker(models):
    """One worker, two requests at a time."""
    with running(settings(models, workers=1, max_in_flight=2)) as server:
        yield server


@pytest.fixture
def narrow(only_worker):
    """The worker is idle when a test begins."""
    only_worker.wait_for_requests(0)
    with Client(addresses(only_worker)[0], MODEL, timeout_s=1.0, retries=ONCE) as client:
        while True:
            try:
                client.call("wait", {"seconds": [0.0]})
            except TimedOutError:
                continue
            return only_worker


@contextmanager
def busy(server, address, count, seconds):
    """So many requests are under way when the block begins, and are answered in the end."""
    with ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(wait, address, seconds) for _ in range(count)]
        server.wait_for_requests(count)
        yield
        assert [each.result() for each in asked] == [pytest.approx([seconds])] * count


@pytest.mark.parametrize("protocol", [0, 1])
def test_the_server_keeps_its_time_limit(models, protocol):
    with (
        running(settings(models, timeout_s=0.2)) as server,
        pytest.raises(TimedOutError, match=r"no answer for 1 rows within 0\.200 s"),
    ):
        wait(addresses(server)[protocol], 0.6)


def test_what_nobody_waits_for_is_not_computed(narrow):
    address = addresses(narrow)[0]
    with busy(narrow, address, 1, 0.4), pytest.raises(TimedOutError):
        wait(address, 60.0, timeout_s=0.1)
    assert wait(address, 0.01) == pytest.approx([0.01])


@pytest.mark.parametrize("protocol", [0, 1])
def test_too_many_requests_are_refused(narrow, protocol):
    address = addresses(narrow)[protocol]
    with (
        busy(narrow, address, 2, 2.0),
        pytest.raises(OverloadedError, match="2 requests are being answered, which is the most"),
    ):
        wait(address, 0.01)
    assert wait(address, 0.01) == pytest.approx([0.01])


def test_a_client_that_tries_again_is_answered_in_the_end(narrow):
    address, patient = addresses(narrow)[0], RetryPolicy(attempts=50, first_s=0.1, longest_s=0.1)
    with busy(narrow, address, 2, 0.3), Client(address, MODEL, retries=patient) as client:
        assert client.call("wait", {"seconds": [0.01]})["waited"].tolist() == pytest.approx([0.01])


def test_a_message_that_is_too_large_is_not_sent_again(models):
    with running(settings(models, max_message_bytes=4096)) as server:
        for address in addresses(server):
            with Client(address, MODEL) as client, pytest.raises(RequestError):
                client.call("serving_default", {"examples": [b"x" * 10_000]})


@pytest.mark.parametrize("protocol", [0, 1])
def test_a_stop_answers_what_is_under_way(models, protocol):
    with running(settings(models, drain_s=10)) as server, ThreadPoolExecutor(1) as pool:
        address = addresses(server)[protocol]
        with Client(address, MODEL, retries=ONCE) as client:
            client.status()  # connected
            answer = pool.submit(client.call, "wait", {"seconds": [0.5]})
            server.wait_for_requests(1)
            server.stop()
            assert answer.result()["waited"].tolist() == [0.5]
            with pytest.raises(UnavailableError):
                client.status()


def test_a_stop_ends_though_a_request_takes_too_long(models):
    with running(settings(models, drain_s=0.1)) as server, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(wait, addresses(server)[0], 1.0)
        server.wait_for_requests(1)
        server.stop()
        with pytest.raises(ClientError):
            answer.result()


def test_a_port_that_is_taken_is_said(models):
    with running(settings(models)) as server:
        port = int(server.grpc_address.rpartition(":")[2])
        with pytest.raises(ConfigError, match=r"choose --port"), running(settings(models, grpc_port=port)):
            pass
        port = int(server.rest_url.rpartition(":")[2])
        with pytest.raises(ConfigError, match=r"choose --rest-port"), running(settings(models, rest_port=port)):
            pass


def test_readiness_waits_for_the_models(tmp_path):
    (tmp_path / "models").mkdir()
    with running(settings(tmp_path / "models")) as server:
        assert httpx.get(f"{server.rest_url}/healthz").status_code == 200
        assert httpx.get(f"{server.rest_url}/readyz").status_code == 503


def test_requests_that_wait_share_a_call_and_get_their_own_rows(models):
    with running(settings(models, workers=1, max_batch=8)) as server:
        address = addresses(server)[0]
        with busy(server, address, 1, 0.5), Client(address, MODEL) as client, ThreadPoolExecutor(20) as pool:

            def ask(number):
                sent = example(float(number)) if number != 7 else b"no example"
                try:
                    return client.call("serving_default", {"examples": [sent, example(1.0)]})["score"].tolist()
                except RequestError as error:
                    return "Could not parse example input" in str(error)

            answers = list(pool.map(ask, range(20)))
        assert answers == [[float(number), 1.0] if number != 7 else True for number in range(20)]
        lines = httpx.get(f"{server.rest_url}/monitoring/prometheus/metrics").text.splitlines()
        small, calls = (
            next(float(line.split()[-1]) for line in lines if line.startswith(f"interest_migration_batch_rows_{name} "))
            for name in ('bucket{le="4.0"}', "count")
        )
        assert small < calls


def test_a_deadline_that_a_grpc_client_sets_is_kept_by_the_server(models):
    with running(settings(models)) as server, grpc.insecure_channel(server.grpc_address) as channel:
        from interest_migration.client.grpc_protocol import GrpcProtocol
        from interest_migration.client.queries import Query, Target

        body = GrpcProtocol().predict(Query(Target(MODEL), "wait", {"seconds": [0.5]}), None).body
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(CALL)(body, timeout=0.1)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
