"""Connections to one server, kept open and shared by all requests of a client."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import grpc
import httpx

from interest_migration.client.errors import of_response, of_rpc, of_transport
from interest_migration.client.exchanges import Exchange, Reply
from interest_migration.errors import ConfigError

_OK: Final = 200
_VERSION_HEADER: Final = "X-Model-Version"
_GRPC_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A connection that broke is tried again soon; how often a request is sent, the policy decides.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_retries", 0),
)


@dataclass(frozen=True)
class Address:
    """Where a server is: `grpc` or `http`, and what the library is given."""

    kind: str
    target: str

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Reads `grpc://host:8500`, `http://host:8501` or `https://host`.

        Raises:
          ConfigError: If it is neither.
        """
        scheme, separator, rest = text.partition("://")
        if separator and rest:
            if scheme == "grpc":
                return cls("grpc", rest.rstrip("/"))
            if scheme in ("http", "https"):
                return cls("http", text.rstrip("/"))
        raise ConfigError(
            f"expected an address such as grpc://127.0.0.1:8500 or http://127.0.0.1:8501, received {text!r}"
        )


class GrpcConnection:
    """Blocking RPCs over one channel."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._channel = grpc.insecure_channel(target, options=_GRPC_OPTIONS)
        self._rpcs: dict[str, Callable[..., bytes]] = {}

    def exchange(self, exchange: Exchange, timeout_s: float) -> Reply:
        """Sends a request."""
        rpc = self._rpcs.get(exchange.path) or self._rpcs.setdefault(
            exchange.path, self._channel.unary_unary(exchange.path)
        )
        try:
            return Reply(rpc(exchange.body, timeout=timeout_s))
        except grpc.RpcError as error:
            raise of_rpc(error, self._target) from error

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()


class AsyncGrpcConnection:
    """Awaited RPCs over one channel."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._channel = grpc.aio.insecure_channel(target, options=_GRPC_OPTIONS)
        self._rpcs: dict[str, Any] = {}

    async def exchange(self, exchange: Exchange, timeout_s: float) -> Reply:
        """Sends a request."""
        rpc = self._rpcs.get(exchange.path) or self._rpcs.setdefault(
            exchange.path, self._channel.unary_unary(exchange.path)
        )
        try:
            return Reply(await rpc(exchange.body, timeout=timeout_s))
        except grpc.RpcError as error:
            raise of_rpc(error, self._target) from error

    async def close(self) -> None:
        """Closes the channel."""
        await self._channel.close()


class RestConnection:
    """Blocking HTTP requests over a pool of connections."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._client = httpx.Client(base_url=target)

    def exchange(self, exchange: Exchange, timeout_s: float) -> Reply:
        """Sends a request."""
        try:
            response = self._client.request(exchange.method, exchange.path, content=exchange.body, timeout=timeout_s)
        except httpx.HTTPError as error:
            raise of_transport(error, self._target) from error
        return _reply(response, self._target)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()


class AsyncRestConnection:
    """Awaited HTTP requests over a pool of connections."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._client = httpx.AsyncClient(base_url=target)

    async def exchange(self, exchange: Exchange, timeout_s: float) -> Reply:
        """Sends a request."""
        try:
            response = await self._client.request(
                exchange.method, exchange.path, content=exchange.body, timeout=timeout_s
            )
        except httpx.HTTPError as error:
            raise of_transport(error, self._target) from error
        return _reply(response, self._target)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()


def _reply(response: httpx.Response, target: str) -> Reply:
    if response.status_code != _OK:
        raise of_response(response.status_code, response.content, target)
    version = response.headers.get(_VERSION_HEADER, "")
    return Reply(response.content, int(version) if version.isdigit() else None)
