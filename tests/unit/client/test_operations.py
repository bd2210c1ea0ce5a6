"""Operations step by step, without any server."""

import json

import pytest

from interest_migration.client import operations
from interest_migration.client.exchanges import Reply
from interest_migration.client.operations import Operations
from interest_migration.client.queries import Target
from interest_migration.client.rest_protocol import RestProtocol
from interest_migration.client.retries import RetryPolicy

TENSOR = {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}]}}
SIGNATURES = {"double": {"inputs": {"x": TENSOR}, "outputs": {"y": TENSOR}}}
METADATA = json.dumps({"metadata": {"signature_def": {"signature_def": SIGNATURES}}}).encode()


def test_over_rest_the_time_limit_holds_for_signatures_and_call_together(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(operations.time, "monotonic", lambda: now[0])
    steps = Operations(RestProtocol(), Target("shop"), 3.0, RetryPolicy()).call("double", {"x": [1.0]})
    look = next(steps)
    assert (look.exchange.path, look.timeout_s) == ("/v1/models/shop/metadata", 3.0)
    now[0] += 1.0
    call = steps.send(Reply(METADATA))
    assert (call.exchange.path, call.timeout_s) == ("/v1/models/shop:predict", pytest.approx(2.0))
    with pytest.raises(StopIteration) as end:
        steps.send(Reply(b'{"outputs": [2.0]}'))
    assert end.value.value["y"].tolist() == [2.0]
