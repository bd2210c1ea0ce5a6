"""Versions of a model in memory, each alive until its last request is answered."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

import grpc

from interest_migration.server.calls import ModelChoice
from interest_migration.server.serving_error import ServingError, invalid

if TYPE_CHECKING:
    from interest_migration.server.loading import LoadedModel


class State(StrEnum):
    """Where a version is in its life, in TensorFlow Serving's words."""

    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


class ServedVersion:
    """One version.

    Attributes:
      number: Its number.
      state: Where it is in its life.
      error: Why it could not be loaded; empty otherwise.
      model: The model while it is available or unloading.
      requests: Requests that it was chosen for.
      failures: Those of them that ended with an error of the server (UNKNOWN, INTERNAL and the like).
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.state = State.START
        self.error = ""
        self.model: LoadedModel | None = None
        self.requests = 0
        self.failures = 0
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()

    @contextmanager
    def use(self) -> Iterator["LoadedModel"]:
        """Holds the model in memory while the block runs."""
        assert self.model is not None
        self._users += 1
        self._unused.clear()
        try:
            yield self.model
        finally:
            self._users -= 1
            if not self._users:
                self._unused.set()

    def become_available(self, model: "LoadedModel") -> None:
        """From now on requests may choose it."""
        self.model, self.state, self.error = model, State.AVAILABLE, ""

    def fail(self, error: str) -> None:
        """It could not be loaded."""
        self.state, self.error = State.END, error

    async def unload(self) -> None:
        """No request chooses it any more; it goes when the last one that did is answered."""
        self.state = State.UNLOADING
        await self._unused.wait()
        self.model, self.state = None, State.END


class ServedModel:
    """All versions of one model that the server has seen, and where its labels point.

    Attributes:
      name: The model's name.
      versions: Number -> version.
      labels: Label -> number of an available version.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.versions: dict[int, ServedVersion] = {}
        self.labels: dict[str, int] = {}

    def available(self) -> list[int]:
        """Returns the numbers of versions that answer, highest first."""
        return sorted((n for n, version in self.versions.items() if version.state is State.AVAILABLE), reverse=True)

    def choose(self, choice: ModelChoice) -> ServedVersion:
        """Returns the version that is meant.

        Raises:
          ServingError: NOT_FOUND if it is not available; INVALID_ARGUMENT if the label is unknown.
        """
        number = choice.version
        if choice.label is not None:
            number = self.labels.get(choice.label)
            if number is None:
                raise invalid(f"Unrecognized servable version label: {choice.label}")
        available = self.available()
        if number is None and available:
            number = available[0]
        if number not in available:
            raise not_found(choice)
        return self.versions[number]


def not_found(choice: ModelChoice) -> ServingError:
    """Returns the error about a model or version that is not there."""
    return ServingError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {choice}")
