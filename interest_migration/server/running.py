"""A server in a thread of its own, for tests and measurements."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from interest_migration.server.loading import Check
from interest_migration.server.model_server import ModelServer, Mount
from interest_migration.server.settings import ServerSettings


class RunningServer:
    """A server that runs in another thread.

    Attributes:
      grpc_address: `127.0.0.1:8500`.
      rest_url: `http://127.0.0.1:8501`.
    """

    def __init__(self, server: ModelServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server, self._loop = server, loop
        self.grpc_address, self.rest_url = server.grpc_address, server.rest_url

    def wait_for(self, model: str, version: int, timeout_s: float = 60) -> None:
        """Waits until a version answers.

        Raises:
          TimeoutError: With the states there are instead.
        """
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            served = self._server.state.watcher.models.get(model)
            if served and version in served.available():
                return
            time.sleep(0.01)
        raise TimeoutError(f"expected version {version} of {model} to answer, received {self._server.state.models()}")

    def stop(self) -> None:
        """Drains and ends, as SIGTERM does to the command; returns when all is over."""
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result()


@contextmanager
def running(
    settings: ServerSettings, check: Check | None = None, mounts: Sequence[Mount] = ()
) -> Iterator[RunningServer]:
    """Runs a server while the block runs; at its start the first look at the models is over.

    Args:
      settings: Of the server; ports 0 take free ones.
      check: Says no to models that must not be served.
      mounts: Add pages.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="server", daemon=True)
    thread.start()
    try:
        server = ModelServer(settings, check, mounts)
        asyncio.run_coroutine_threadsafe(_start(server), loop).result()
        try:
            yield RunningServer(server, loop)
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(server: ModelServer) -> None:
    await server.__aenter__()
    await server.wait_ready()
