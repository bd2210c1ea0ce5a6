"""Which requests are sent again, when, and for how long."""

import pytest

from interest_migration.client import (
    NotFoundError,
    OverloadedError,
    RequestError,
    RetryPolicy,
    ServerError,
    TimedOutError,
    UnavailableError,
)
from interest_migration.client.exchanges import Exchange, Pause, Reply, Send
from interest_migration.client.retries import send
from interest_migration.errors import ContractError

REQUEST, REPLY = Exchange("/path", b"body"), Reply(b"answer", 3)


class Clock:
    """Time passes when it is told to."""

    now = 100.0

    def __call__(self):
        return self.now


def drive(outcomes, policy, timeout_s=10.0, draw=lambda: 1.0, seconds=0.0):
    """Plays outcomes (errors or replies), each after so many seconds; returns the waits and the reply."""
    clock, waits, timeouts = Clock(), [], []
    steps = send(REQUEST, policy, timeout_s, clock, draw)
    left = iter(outcomes)
    try:
        step = next(steps)
        while True:
            if isinstance(step, Pause):
                waits.append(step.seconds)
                clock.now += step.seconds
                step = steps.send(None)
                continue
            assert isinstance(step, Send)
            assert step.exchange is REQUEST
            timeouts.append(step.timeout_s)
            clock.now += seconds
            outcome = next(left)
            step = steps.throw(outcome) if isinstance(outcome, Exception) else steps.send(outcome)
    except StopIteration as end:
        return waits, timeouts, end.value


def test_an_answer_at_once_needs_no_wait():
    assert drive([REPLY], RetryPolicy()) == ([], [10.0], REPLY)


@pytest.mark.parametrize("error", [UnavailableError("x"), OverloadedError("x")])
def test_what_may_pass_is_tried_again(error):
    waits, _, reply = drive([error, error, REPLY], RetryPolicy(attempts=3, first_s=0.1, longest_s=5))
    assert waits == pytest.approx([0.1, 0.2])
    assert reply is REPLY


@pytest.mark.parametrize("kind", [RequestError, NotFoundError, TimedOutError, ServerError])
def test_nothing_else_is_tried_again(kind):
    with pytest.raises(kind):
        drive([kind("x"), REPLY], RetryPolicy(attempts=5))


def test_attempts_are_counted():
    with pytest.raises(UnavailableError, match="second"):
        drive([UnavailableError("first"), UnavailableError("second"), REPLY], RetryPolicy(attempts=2))


def test_waits_are_drawn_from_zero_to_a_bound_that_doubles_up_to_the_longest():
    policy = RetryPolicy(attempts=6, first_s=0.05, longest_s=0.3)
    assert [policy.bound_s(failures) for failures in range(1, 6)] == pytest.approx([0.05, 0.1, 0.2, 0.3, 0.3])
    draws = iter([0.0, 0.5, 0.25])
    waits, _, _ = drive([UnavailableError("x")] * 3 + [REPLY], policy, draw=lambda: next(draws))
    assert waits == pytest.approx([0.0, 0.05, 0.05])


def test_the_time_limit_holds_for_all_attempts_together():
    policy = RetryPolicy(attempts=9, first_s=1, longest_s=1)
    waits, timeouts, _ = drive([UnavailableError("x"), REPLY], policy, timeout_s=3.0, seconds=0.5)
    assert waits == [1.0]
    assert timeouts == pytest.approx([3.0, 1.5])
    with pytest.raises(UnavailableError):  # a further wait would end after the limit
        drive([UnavailableError("x")] * 3, policy, timeout_s=2.0, seconds=0.5)


@pytest.mark.parametrize("values", [{"attempts": 0}, {"first_s": -1}, {"first_s": 3, "longest_s": 2}])
def test_impossible_policies_are_refused(values):
    with pytest.raises(ContractError):
        RetryPolicy(**values)
