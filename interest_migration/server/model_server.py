"""The server: both protocols, the watcher, start and stop."""

import asyncio
import gc
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Self

import grpc
from aiohttp import web

from interest_migration.errors import ConfigError
from interest_migration.server.grpc_services import GrpcServices
from interest_migration.server.loading import Check
from interest_migration.server.model_config import discover
from interest_migration.server.rest import RestApi, errors_as_json
from interest_migration.server.settings import ServerSettings
from interest_migration.server.state import ServerState
from interest_migration.server.watcher import Watcher

LOG = logging.getLogger(__name__)
Mount = Callable[[web.Application, ServerState], None]
"""Adds pages to the HTTP server; it is called before it starts."""

_SWITCH_SECONDS: Final = 0.0005
"""How long a thread keeps the interpreter; with Python's 5 ms an answer would wait that long for a model that loads."""


class ModelServer:
    """A server on the running event loop.

    Args:
      settings: Of the server.
      check: Says no to models that must not be served.
      mounts: Add pages.

    Raises:
      ConfigError: If there is no folder of models, or a port is taken.

    Example:
      async with ModelServer(ServerSettings(models=folder)) as server:
          await server.wait_ready()
    """

    def __init__(self, settings: ServerSettings, check: Check | None = None, mounts: Sequence[Mount] = ()) -> None:
        discover(settings.models)
        self.settings = settings
        self.state = ServerState(settings, Watcher(settings, check))
        self._mounts = mounts
        self.grpc_port = self.rest_port = 0
        self._watching: asyncio.Task[None] | None = None

    @property
    def grpc_address(self) -> str:
        """`127.0.0.1:8500`."""
        return f"{self.settings.host}:{self.grpc_port}"

    @property
    def rest_url(self) -> str:
        """`http://127.0.0.1:8501`."""
        return f"http://{self.settings.host}:{self.rest_port}"

    async def __aenter__(self) -> Self:
        gc.freeze()  # what is there by now stays; it need not be searched for garbage again and again
        sys.setswitchinterval(_SWITCH_SECONDS)
        await self._start_grpc()
        try:
            await self._start_rest()
        except BaseException:
            await self._grpc.stop(None)
            raise
        self._watching = asyncio.create_task(self.state.watcher.watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def wait_ready(self) -> None:
        """Waits for the first look at the models to end."""
        while not self.state.watcher.settled:
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Takes no further requests, answers those under way for up to `drain_s`, and ends."""
        self.state.is_draining = True
        self.state.watcher.close()
        if self._watching:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        await asyncio.gather(self._grpc.stop(self.settings.drain_s), self._runner.cleanup())
        self.state.close()

    async def _start_grpc(self) -> None:
        size = self.settings.max_message_bytes
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", size),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),  # else a second server would share the port unnoticed
        ]
        self._grpc = grpc.aio.server(options=options)
        self._grpc.add_generic_rpc_handlers(tuple(GrpcServices(self.state).handlers()))
        try:
            self.grpc_port = self._grpc.add_insecure_port(f"{self.settings.host}:{self.settings.grpc_port}")
        except RuntimeError as error:
            raise _taken(self.settings.host, self.settings.grpc_port, "--port") from error
        await self._grpc.start()

    async def _start_rest(self) -> None:
        app = web.Application(middlewares=[errors_as_json], client_max_size=self.settings.max_message_bytes)
        RestApi(self.state).add_to(app)
        for mount in self._mounts:
            mount(app, self.state)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=self.settings.drain_s)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.settings.host, self.settings.rest_port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise _taken(self.settings.host, self.settings.rest_port, "--rest-port") from error
        self.rest_port = self._runner.addresses[0][1]


def _taken(host: str, port: int, option: str) -> ConfigError:
    return ConfigError(f"expected a free port on {host}, received {port}, which cannot be listened on; choose {option}")
