"""The client: one class that blocks, one that is awaited."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Self, TypeVar

from interest_migration.client.connections import (
    Address,
    AsyncGrpcConnection,
    AsyncRestConnection,
    GrpcConnection,
    RestConnection,
)
from interest_migration.client.errors import ClientError
from interest_migration.client.exchanges import Pause, Send, Steps
from interest_migration.client.grpc_protocol import GrpcProtocol
from interest_migration.client.operations import Operations
from interest_migration.client.predictions import Prediction
from interest_migration.client.queries import Outputs, SignatureInfo, Target, VersionStatus
from interest_migration.client.rest_protocol import RestProtocol
from interest_migration.client.retries import RetryPolicy
from interest_migration.client.users import User

Result = TypeVar("Result")
_TIMEOUT_S: Final = 10.0
_RETRIES: Final = RetryPolicy()


class _Asker:
    """What both clients are made of.

    Args:
      address: `grpc://host:port` or `http://host:port`.
      model: Name of the model.
      version: Version to ask; None: see label.
      label: Label whose version to ask; None: the highest version that is loaded.
      timeout_s: For one operation, with all its attempts.
      retries: When a request is sent again.

    Raises:
      ConfigError: If the address is none.
      ContractError: If both version and label are given.
    """

    _connections: ClassVar[dict[str, Any]]

    def __init__(
        self,
        address: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout_s: float = _TIMEOUT_S,
        retries: RetryPolicy = _RETRIES,
    ) -> None:
        place, target = Address.parse(address), Target(model, version, label)
        protocol = GrpcProtocol() if place.kind == "grpc" else RestProtocol()
        self._operations = Operations(protocol, target, timeout_s, retries)
        self._connection = self._connections[place.kind](place.target)


class Client(_Asker):
    """Asks one model of a server; it may be shared by threads, which share its connections.

    Example:
      with Client("grpc://127.0.0.1:8500", model="interests", label="stable") as client:
          [answer] = client.predict([User([Event(1700000000, "view", item="lamp")])])
          answer.next_categories[0].name, answer.churn["short"]
    """

    _connections: ClassVar = {"grpc": GrpcConnection, "http": RestConnection}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def predict(self, users: Sequence[User]) -> list[Prediction]:
        """Returns what the model says of each user.

        Raises:
          ClientError: See `interest_migration.client.errors`.
        """
        return self._drive(self._operations.predict(users))

    def call(self, signature: str, inputs: Mapping[str, Any]) -> Outputs:
        """Calls any signature with arrays.

        Raises:
          ClientError: See `interest_migration.client.errors`.
        """
        return self._drive(self._operations.call(signature, inputs))

    def status(self) -> list[VersionStatus]:
        """Returns the states of the model's versions."""
        return self._drive(self._operations.status())

    def signatures(self) -> dict[str, SignatureInfo]:
        """Returns what the model's signatures take and return."""
        return self._drive(self._operations.signatures())

    def close(self) -> None:
        """Closes the connections."""
        self._connection.close()

    def _drive(self, steps: Steps[Result]) -> Result:
        try:
            step = next(steps)
            while True:
                try:
                    done = self._carry_out(step)
                except ClientError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(done)
        except StopIteration as end:
            result: Result = end.value
            return result

    def _carry_out(self, step: Send | Pause) -> object:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        return self._connection.exchange(step.exchange, step.timeout_s)


class AsyncClient(_Asker):
    """As Client, awaited; made and used on one event loop.

    Example:
      async with AsyncClient("http://127.0.0.1:8501", model="interests") as client:
          answers = await client.predict(users)
    """

    _connections: ClassVar = {"grpc": AsyncGrpcConnection, "http": AsyncRestConnection}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def predict(self, users: Sequence[User]) -> list[Prediction]:
        """Returns what the model says of each user."""
        return await self._drive(self._operations.predict(users))

    async def call(self, signature: str, inputs: Mapping[str, Any]) -> Outputs:
        """Calls any signature with arrays."""
        return await self._drive(self._operations.call(signature, inputs))

    async def status(self) -> list[VersionStatus]:
        """Returns the states of the model's versions."""
        return await self._drive(self._operations.status())

    async def signatures(self) -> dict[str, SignatureInfo]:
        """Returns what the model's signatures take and return."""
        return await self._drive(self._operations.signatures())

    async def close(self) -> None:
        """Closes the connections."""
        await self._connection.close()

    async def _drive(self, steps: Steps[Result]) -> Result:
        try:
            step = next(steps)
            while True:
                try:
                    done = await self._carry_out(step)
                except ClientError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(done)
        except StopIteration as end:
            result: Result = end.value
            return result

    async def _carry_out(self, step: Send | Pause) -> object:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        return await self._connection.exchange(step.exchange, step.timeout_s)
