"""A server in a thread of its own, for tests and measurements."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from interest_migration.server.loading import Check
from interest_migration.server.model_server import ModelServer, Mount
from interest_migration.server.settings import ServerSettings
from interest_migration.server.state import VersionState


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
        self._wait(lambda: version in self._numbers(model, "AVAILABLE"), f"version {version} of {model}", timeout_s)

    def wait_until(
        self, model: str, versions: Sequence[int], refused: Sequence[int] = (), timeout_s: float = 60
    ) -> tuple[VersionState, ...]:
        """Waits until exactly these versions answer and those are refused; returns the states of all.

        Raises:
          TimeoutError: With the states there are instead.
        """

        def is_so() -> bool:
            there = self._numbers(model, "AVAILABLE") == set(versions)
            return there and set(refused) <= {each.version for each in self._versions(model) if each.error}

        self._wait(is_so, f"versions {versions} of {model}, {refused} refused", timeout_s)
        return self._versions(model)

    def wait_for_requests(self, count: int, timeout_s: float = 60) -> None:
        """Waits until so many requests are being answered.

        Raises:
          TimeoutError: If it does not happen.
        """
        self._wait(lambda: self._server.state.in_flight == count, f"{count} requests under way", timeout_s)

    def wait_for_config_error(self, part: str, timeout_s: float = 60) -> None:
        """Waits until the configuration is found wrong, with these words in the reason; empty: until it is right.

        Raises:
          TimeoutError: If it is not.
        """

        def is_so() -> bool:
            error = self._server.state.watcher.config_error
            return part in error if part else not error

        self._wait(is_so, f"the configuration's error {part!r}", timeout_s)

    def _versions(self, model: str) -> tuple[VersionState, ...]:
        return next((each.versions for each in self._server.state.models() if each.name == model), ())

    def _numbers(self, model: str, state: str) -> set[int]:
        return {each.version for each in self._versions(model) if each.state == state}

    def _wait(self, is_so: Callable[[], bool], what: str, timeout_s: float) -> None:
        end = time.monotonic() + timeout_s
        while not is_so():
            if time.monotonic() > end:
                raise TimeoutError(f"expected {what}, received {self._server.state.models()}")
            time.sleep(0.01)

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
