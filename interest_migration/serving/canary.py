"""Tries a canary beside the stable version: the same requests to both, what they answer, how often and how fast."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import Any, Final

import numpy as np

from interest_migration.errors import InterestMigrationError
from interest_migration.serving.agreement import TOP, Agreement
from interest_migration.serving.rollout_settings import RolloutSettings
from interest_migration.serving.traffic import Request

Ask = Callable[[Request], tuple[int | None, Mapping[str, Any]]]
"""Sends a request to one version; returns the version that answered, if it says so, and the outputs."""
PERCENTILES: Final = (50, 95, 99)
_SHOWN_ERRORS: Final = 3
_STABLE, _CANARY = 0, 1


@dataclass
class Side:
    """What one version did.

    Attributes:
      seconds: Of each answer.
      errors: What went wrong, in words.
      versions: Version numbers that answered.
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    versions: set[int] = field(default_factory=set)

    @property
    def sent(self) -> int:
        """Requests."""
        return len(self.seconds) + len(self.errors)

    @property
    def error_rate(self) -> float:
        """Share of the requests that failed; 0 without requests."""
        return len(self.errors) / max(self.sent, 1)

    def latency_ms(self, percentile: float) -> float | None:
        """Returns a percentile of the answers' latency in milliseconds; None without answers."""
        return float(np.percentile(self.seconds, percentile)) * 1e3 if self.seconds else None

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return {
            "requests": self.sent,
            "errors": len(self.errors),
            "error_rate": self.error_rate,
            "latency_ms": {f"p{percentile}": self.latency_ms(percentile) for percentile in PERCENTILES},
            "versions": sorted(self.versions),
            "first_errors": self.errors[:_SHOWN_ERRORS],
        }


@dataclass(frozen=True)
class Check:
    """One budget: what was measured, what is allowed, and whether it is broken; None where it was not judged."""

    name: str
    value: float | None
    bound: float
    is_broken: bool | None


class Trial:
    """Sends requests and gathers what comes back.

    Args:
      stable: Asks the stable version.
      canary: Asks the canary.
      settings: Share and budgets.
      seed: Of which requests go to both.
    """

    def __init__(self, stable: Ask, canary: Ask, settings: RolloutSettings, seed: int = 0) -> None:
        self._ask, self._settings = (stable, canary), settings
        self._draw = random.Random(seed)
        self._lock = Lock()
        self.stable, self.canary, self.agreement = Side(), Side(), Agreement()

    def run(self, requests: Sequence[Request], concurrency: int, duration_s: float | None = None) -> None:
        """Sends requests until there are enough, the time is over, or the canary's budget of errors is spent.

        Args:
          requests: Sent in order, again from the first if they do not suffice.
          concurrency: Requests under way at the same time.
          duration_s: Seconds; without it, `settings.requests` are sent.
        """
        end = None if duration_s is None else time.monotonic() + duration_s
        plan = self._plan(requests, duration_s is None)
        with ThreadPoolExecutor(concurrency) as pool:
            under_way: set[Future[None]] = {pool.submit(self._send, *one) for one in islice(plan, concurrency)}
            while under_way:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                if self._is_spent(duration_s is None) or (end is not None and time.monotonic() >= end):
                    continue
                under_way |= {pool.submit(self._send, *one) for one in islice(plan, len(done))}

    def checks(self) -> list[Check]:
        """Judges the budgets.

        Raises:
          InterestMigrationError: If the stable version itself fails too often for a comparison.
        """
        settings, stable, canary = self._settings, self.stable, self.canary
        if stable.error_rate > settings.max_error_rate:
            raise InterestMigrationError(
                f"expected a stable version that answers, but {len(stable.errors)} of {stable.sent} requests failed: "
                f"{stable.errors[0]}. Nothing was changed"
            )
        mine, other = stable.latency_ms(95), canary.latency_ms(95)
        ratio = other / mine if mine and other is not None else None
        bounds = (
            ("error_rate", canary.error_rate, settings.max_error_rate, 1, 1),
            ("latency_ratio", ratio, settings.max_latency_ratio, settings.min_requests, 1),
            ("latency_ms", other, settings.max_latency_ms, settings.min_requests, 1),
            ("agreement", self.agreement.measures().get(TOP), settings.min_agreement, settings.min_requests, -1),
        )
        return [
            Check(name, value, bound, None if value is None or canary.sent < least else sign * (value - bound) > 0)
            for name, value, bound, least, sign in bounds
            if bound is not None
        ]

    def _plan(self, requests: Sequence[Request], is_counted: bool) -> Iterator[tuple[Request, tuple[int, ...]]]:
        """Yields requests with whom to ask; either version is asked first in half of the cases."""
        place = 0
        while not is_counted or place < self._settings.requests:
            both = (_STABLE, _CANARY) if self._draw.random() < 0.5 else (_CANARY, _STABLE)
            yield requests[place % len(requests)], both if self._draw.random() < self._settings.share else (_STABLE,)
            place += 1

    def _is_spent(self, is_counted: bool) -> bool:
        """Whether so many requests failed that the rest cannot bring the canary back within its budget."""
        settings = self._settings
        planned = settings.share * settings.requests if is_counted else settings.min_requests
        return len(self.canary.errors) > settings.max_error_rate * max(planned, self.canary.sent)

    def _send(self, request: Request, order: tuple[int, ...]) -> None:
        answers = {which: self._answer(request, which) for which in order}
        stable, canary = answers.get(_STABLE), answers.get(_CANARY)
        if stable is not None and canary is not None:
            with self._lock:
                self.agreement.add(stable, canary)

    def _answer(self, request: Request, which: int) -> Mapping[str, Any] | None:
        side = (self.stable, self.canary)[which]
        begin = time.perf_counter()
        try:
            version, outputs = self._ask[which](request)
        except InterestMigrationError as error:
            with self._lock:
                side.errors.append(str(error)[:300])
            return None
        seconds = time.perf_counter() - begin
        with self._lock:
            side.seconds.append(seconds)
            if version is not None:
                side.versions.add(version)
        return outputs
