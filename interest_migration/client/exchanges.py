"""What the client does, step by step, whether the caller waits or awaits.

An operation is a generator: it yields what is to be done, receives what came of it, and returns its result. One driver
carries the steps out with blocking calls, another awaits them, so that each operation is written once.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Exchange:
    """One request: `path` is the RPC's or the URL's, `method` HTTP's."""

    path: str
    body: bytes = b""
    method: str = "POST"


@dataclass(frozen=True)
class Reply:
    """What came back: the bytes, and the version that the server says made it."""

    body: bytes
    version: int | None = None


@dataclass(frozen=True)
class Send:
    """Send this and receive a Reply, in `timeout_s` at most."""

    exchange: Exchange
    timeout_s: float


@dataclass(frozen=True)
class Pause:
    """Wait."""

    seconds: float


Steps = Generator[Send | Pause, Any, Result]
