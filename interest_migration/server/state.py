"""What both protocols and pages ask of the server."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import grpc
import tensorflow as tf

from interest_migration.server.batching import BatchScheduler
from interest_migration.server.calls import Answer, Array, Call, rows_of
from interest_migration.server.metrics import Metrics
from interest_migration.server.row_joins import join, join_key
from interest_migration.server.serving_error import ServingError, code_of_number, http_status, invalid
from interest_migration.server.settings import ServerSettings
from interest_migration.server.signature_specs import SignatureSpec
from interest_migration.server.versions import ServedVersion, not_found
from interest_migration.server.watcher import Watcher
from schemas.signatures import COLUMN_SIGNATURES, EVALUATE, EVALUATION_LABELS, EXPLAIN, PATHS, SERVE

LOG = logging.getLogger(__name__)
_SERVER_ERROR: Final = 500
_BATCHED: Final = {SERVE, EVALUATE, EVALUATION_LABELS, EXPLAIN, PATHS, *COLUMN_SIGNATURES}
"""Signatures whose rows do not depend on each other; others are called request by request."""


@dataclass(frozen=True)
class VersionState:
    """One version as others see it."""

    version: int
    state: str
    error: str
    signatures: tuple[str, ...]
    requests: int
    failures: int


@dataclass(frozen=True)
class ModelState:
    """One model as others see it: label -> version, and its versions, newest first."""

    name: str
    labels: Mapping[str, int]
    versions: tuple[VersionState, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return asdict(self)


class ServerState:
    """The models, and the way to ask them.

    Attributes:
      settings: Of the server.
      watcher: Keeps the models as they are wanted.
      metrics: Counts.
      is_draining: Whether a stop was asked for.
      in_flight: Number of requests being answered.
    """

    def __init__(self, settings: ServerSettings, watcher: Watcher) -> None:
        self.settings, self.watcher, self.metrics = settings, watcher, Metrics()
        self.is_draining = False
        self.in_flight = 0
        self._scheduler = BatchScheduler(
            settings.workers, settings.max_batch, settings.batch_timeout_ms / 1e3, self.metrics.call
        )

    def models(self) -> list[ModelState]:
        """Returns all models by name, with their versions, newest first."""
        return [
            ModelState(name, dict(model.labels), tuple(_state(model.versions[n]) for n in sorted(model.versions)[::-1]))
            for name, model in sorted(self.watcher.models.items())
        ]

    def is_ready(self) -> bool:
        """Says whether every model has a version that answers, and no stop was asked for."""
        models = self.watcher.models.values()
        return not self.is_draining and self.watcher.settled and bool(models) and all(m.available() for m in models)

    def find(self, call: Call) -> ServedVersion:
        """Returns the version that a call means.

        Raises:
          ServingError: NOT_FOUND, or INVALID_ARGUMENT if the label is unknown.
        """
        if not call.model.name:
            raise invalid("ModelSpec has no name specified.")
        model = self.watcher.models.get(call.model.name)
        if model is None:
            raise not_found(call.model)
        return model.choose(call.model)

    async def observed(self, call: Call, protocol: str, ask: Callable[[ServedVersion], Awaitable[Answer]]) -> Answer:
        """Chooses the version, holds it while it is asked, and counts what came of it.

        Args:
          call: Names model and signature.
          protocol: How it came in, for the metrics.
          ask: Answers with the version it is given.

        Raises:
          ServingError: With the code that TensorFlow Serving answers in the same case.
        """
        began, code, version = time.perf_counter(), grpc.StatusCode.OK, None
        try:
            self._admit()
            version = self.find(call)
            version.requests += 1
            with version.use():
                return await ask(version)
        except ServingError as error:
            code = error.code
            raise
        except Exception as error:
            code = grpc.StatusCode.INTERNAL
            LOG.exception("a request failed")
            raise ServingError(code, f"{type(error).__name__} while answering; the server's log has more") from error
        except asyncio.CancelledError:
            code = grpc.StatusCode.CANCELLED
            raise
        finally:
            self._leave(call, version, protocol, code, time.perf_counter() - began)

    def close(self) -> None:
        """Lets the worker threads end."""
        self._scheduler.close()

    def _admit(self) -> None:
        self.in_flight += 1
        self.metrics.in_flight.set(self.in_flight)
        if self.in_flight > self.settings.max_in_flight:
            raise ServingError(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"{self.settings.max_in_flight} requests are being answered, which is the most; try again later",
            )

    def _leave(
        self, call: Call, version: ServedVersion | None, protocol: str, code: grpc.StatusCode, seconds: float
    ) -> None:
        self.in_flight -= 1
        self.metrics.in_flight.set(self.in_flight)
        if version and code is not grpc.StatusCode.CANCELLED and http_status(code) == _SERVER_ERROR:
            version.failures += 1
        # Names that clients made up are not kept: each would be a time series of its own.
        known = version is not None and version.model is not None and call.signature in version.model.signatures
        labels = (
            call.model.name if version else "",
            str(version.number) if version else "",
            call.signature if known else "",
            protocol,
        )
        self.metrics.request(labels, code.name, seconds)

    async def ask(self, version: ServedVersion, call: Call, timeout_s: float | None) -> Answer:
        """Answers a call with a version that `observed` holds, within the time that the client waits, if it says so.

        Raises:
          ServingError: With the code that TensorFlow Serving answers in the same case.
        """
        spec = signature_of(version, call.signature)
        inputs = spec.complete(call.inputs, call.outputs)
        rows = rows_of(inputs)
        if rows > self.settings.max_rows:
            raise invalid(f"Task size {rows} is larger than maximum input batch size {self.settings.max_rows}")
        timeout = self.settings.timeout_s if timeout_s is None else min(timeout_s, self.settings.timeout_s)
        try:
            async with asyncio.timeout(timeout):
                outputs = await self._run(version, spec, inputs)
        except TimeoutError as error:
            raise ServingError(
                grpc.StatusCode.DEADLINE_EXCEEDED, f"no answer for {rows} rows within {timeout:.3f} s"
            ) from error
        except tf.errors.OpError as error:
            raise ServingError(code_of_number(error.error_code), _reason(error.message)) from error
        wanted = call.outputs or tuple(spec.outputs)
        return Answer(version.number, spec.name, {name: outputs[name] for name in wanted})

    async def _run(self, version: ServedVersion, spec: SignatureSpec, inputs: Mapping[str, Array]) -> dict[str, Array]:
        model = version.model
        assert model is not None  # the caller holds it

        def run(requests: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
            return model.run(spec.name, requests[0] if len(requests) == 1 else join(requests))

        is_batched = spec.has_rows and spec.name in _BATCHED
        joined = join_key(inputs) if is_batched else None
        return await self._scheduler.call(None if joined is None else (id(model), spec.name, joined), run, inputs)


def signature_of(version: ServedVersion, name: str) -> SignatureSpec:
    """Returns a signature of a version that answers.

    Raises:
      ServingError: FAILED_PRECONDITION if it has none of that name.
    """
    assert version.model is not None
    spec = version.model.signatures.get(name or SERVE)
    if spec is None:
        raise ServingError(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name or SERVE}" not found.')
    return spec


def _reason(message: str) -> str:
    """Returns the part of a message that speaks of the values, without Python's words about where the graph is from."""
    return message.rpartition("<stack traces unavailable>\n")[2].partition(" [Op:")[0]


def _state(version: ServedVersion) -> VersionState:
    signatures = tuple(sorted(version.model.signatures)) if version.model else ()
    return VersionState(
        version.number, version.state.value, version.error, signatures, version.requests, version.failures
    )
