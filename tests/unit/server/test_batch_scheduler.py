"""Which requests share a call, and what each of them gets."""

import asyncio
import threading

import numpy as np
import pytest

from interest_migration.server.batching import BatchScheduler


class Doubler:
    """Doubles x; notes how many rows each call had; refuses numbers below 0."""

    def __init__(self, gate=None):
        self.calls, self.gate = [], gate

    def __call__(self, requests):
        x = np.concatenate([inputs["x"] for inputs in requests])
        self.calls.append(len(x))
        if self.gate:
            self.gate.wait(5)
        if (x < 0).any():
            raise ValueError(f"below 0: {x[x < 0].tolist()}")
        return {"y": 2 * x}


def inputs(*values):
    return {"x": np.array(values)}


def play(requests, max_batch=4, workers=1, timeout_s=0.0):
    """Holds the only worker with one request while the others gather; returns rows per call and the answers."""
    gate = threading.Event()
    model = Doubler(gate)
    seen = []

    async def run():
        scheduler = BatchScheduler(workers, max_batch, timeout_s, lambda rows, _: seen.append(rows))
        first = asyncio.ensure_future(scheduler.call("first", model, inputs(0)))
        await asyncio.sleep(0.05)
        rest = [asyncio.ensure_future(scheduler.call(key, model, inputs(*values))) for key, values in requests]
        await asyncio.sleep(0.05)
        gate.set()
        answers = await asyncio.gather(first, *rest, return_exceptions=True)
        scheduler.close()
        return answers

    [_, *answers] = asyncio.run(run())
    assert seen == model.calls or any(isinstance(answer, Exception) for answer in answers)
    return model.calls[1:], [a if isinstance(a, Exception) else a["y"].tolist() for a in answers]


def test_requests_that_wait_share_a_call_up_to_the_largest_batch():
    calls, answers = play([("a", [1, 2]), ("a", [3]), ("a", [4]), ("a", [5])])
    assert calls == [4, 1]
    assert answers == [[2, 4], [6], [8], [10]]


def test_a_request_that_is_larger_than_a_batch_is_called_alone():
    assert play([("a", [1] * 6), ("a", [2])]) == ([6, 1], [[2] * 6, [4]])


def test_only_equal_keys_share_a_call_and_the_oldest_goes_first():
    calls, answers = play([("a", [1]), ("b", [2, 2]), ("a", [3]), (None, [4] * 3), (None, [5])])
    assert calls == [2, 2, 3, 1]
    assert answers == [[2], [4, 4], [6], [8] * 3, [10]]


def test_without_batching_every_request_is_a_call():
    assert play([("a", [1]), ("a", [2])], max_batch=1) == ([1, 1], [[2], [4]])


def gather_during_a_call(requests, under_way=(0,)):
    """Two workers; the requests come while a call of lane "a" is under way. Returns the rows of each call."""
    gate, model = threading.Event(), Doubler()
    held = Doubler(gate)

    async def run():
        scheduler = BatchScheduler(2, 2, 0.0)
        first = asyncio.ensure_future(scheduler.call("a", held, inputs(*under_way)))
        await asyncio.sleep(0.05)
        rest = [asyncio.ensure_future(scheduler.call(key, model, inputs(1))) for key in requests]
        await asyncio.sleep(0.05)
        before = list(model.calls)
        gate.set()
        await asyncio.gather(first, *rest)
        scheduler.close()
        return before, model.calls

    return asyncio.run(run())


def test_a_lane_gathers_while_its_call_is_under_way_though_a_worker_is_idle():
    assert gather_during_a_call(["a"]) == ([], [1])


def test_an_idle_worker_takes_other_lanes_meanwhile():
    assert gather_during_a_call(["a", "b"]) == ([1], [1, 1])


def test_an_idle_worker_helps_a_busy_lane_with_full_batches():
    assert gather_during_a_call(["a", "a", "a"]) == ([2], [2, 1])


def test_nobody_waits_for_a_call_that_is_full_already():
    assert gather_during_a_call(["a"], under_way=(0, 0, 0)) == ([1], [1])


def test_a_bad_request_fails_alone():
    calls, answers = play([("a", [1]), ("a", [-7]), ("a", [3])])
    assert calls == [3, 1, 1, 1]
    assert answers[0] == [2]
    assert str(answers[1]) == "below 0: [-7]"
    assert answers[2] == [6]


def test_a_model_that_loses_rows_is_asked_request_by_request():
    def first_only(requests):
        return {"y": np.concatenate([each["x"] for each in requests])[:1]}

    async def run():
        scheduler = BatchScheduler(1, 4, 0.05)
        return await asyncio.gather(*(scheduler.call("a", first_only, inputs(n)) for n in range(3)))

    assert [answer["y"].tolist() for answer in asyncio.run(run())] == [[0], [1], [2]]


def test_requests_that_nobody_waits_for_are_left_out():
    gate = threading.Event()
    model = Doubler(gate)

    async def run():
        scheduler = BatchScheduler(1, 4, 0.0)
        first = asyncio.ensure_future(scheduler.call("a", model, inputs(0)))
        await asyncio.sleep(0.05)
        gone, kept = (asyncio.ensure_future(scheduler.call("a", model, inputs(n))) for n in (1, 2))
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.sleep(0.01)
        gate.set()
        return await first, await kept

    assert asyncio.run(run())[1]["y"].tolist() == [4]
    assert model.calls == [1, 1]


@pytest.mark.parametrize(("timeout_s", "calls"), [(0.0, [1, 2]), (0.1, [3])])
def test_the_first_request_waits_for_company_if_told_to(timeout_s, calls):
    model = Doubler()

    async def run():
        scheduler = BatchScheduler(4, 4, timeout_s)
        return await asyncio.gather(*(scheduler.call("a", model, inputs(n)) for n in range(3)))

    assert [answer["y"].tolist() for answer in asyncio.run(run())] == [[0], [2], [4]]
    assert model.calls == calls
