"""When a request is sent again, and after how long."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from interest_migration.client.errors import RETRIED, TimedOutError
from interest_migration.client.exchanges import Exchange, Pause, Reply, Send, Steps
from interest_migration.errors import ContractError

_SHORTEST_S: Final = 0.001


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential back-off with full jitter (Brooker 2015): a wait is drawn evenly from 0 to a bound that doubles.

    Attributes:
      attempts: How often a request is sent at most; 1: never again.
      first_s: Bound of the first wait.
      longest_s: No bound is larger.

    Example:
      first_s 0.05, longest_s 0.3 -> bounds 0.05, 0.1, 0.2, 0.3, 0.3, ...
    """

    attempts: int = 4
    first_s: float = 0.05
    longest_s: float = 2.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first_s < 0 or self.longest_s < self.first_s:
            raise ContractError(f"expected at least 1 attempt and 0 <= first_s <= longest_s, received {self}")

    def bound_s(self, failures: int) -> float:
        """Returns the longest wait after so many failures, from 1."""
        return min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 60))


def send(
    exchange: Exchange,
    policy: RetryPolicy,
    timeout_s: float,
    clock: Callable[[], float],
    draw: Callable[[], float] = random.random,
) -> Steps[Reply]:
    """Sends a request until it is answered, the error is none that a second try mends, or time is up.

    Args:
      exchange: The request.
      policy: How often and when.
      timeout_s: For all attempts and waits together.
      clock: Seconds that pass.
      draw: Random numbers from 0 to 1.

    Raises:
      ClientError: The last one.
    """
    end = clock() + timeout_s
    for failures in range(1, policy.attempts + 1):
        left = end - clock()
        if left <= 0:
            raise TimedOutError(f"no answer within {timeout_s:g} s")
        try:
            return (yield Send(exchange, max(left, _SHORTEST_S)))
        except RETRIED:
            wait = draw() * policy.bound_s(failures)
            if failures == policy.attempts or clock() + wait >= end:
                raise
            yield Pause(wait)
    raise AssertionError("a policy has at least one attempt")
