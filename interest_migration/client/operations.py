"""What can be asked of a server, as steps that a blocking or an awaiting driver carries out."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from interest_migration.client.errors import RequestError
from interest_migration.client.exchanges import Exchange, Reply, Steps
from interest_migration.client.grpc_protocol import GrpcProtocol
from interest_migration.client.predictions import Prediction, predictions_of
from interest_migration.client.queries import Outputs, Query, SignatureInfo, Target, VersionStatus
from interest_migration.client.rest_protocol import RestProtocol
from interest_migration.client.retries import RetryPolicy, send
from interest_migration.client.users import User, columns_of
from schemas.signatures import PREDICT


class Operations:
    """The operations on one model.

    Args:
      protocol: How requests are written and answers read.
      target: Which version.
      timeout_s: For one operation, with all its attempts.
      retries: When a request is sent again.
    """

    def __init__(
        self, protocol: GrpcProtocol | RestProtocol, target: Target, timeout_s: float, retries: RetryPolicy
    ) -> None:
        self._protocol, self._target, self._timeout_s, self._retries = protocol, target, timeout_s, retries
        self._signatures: dict[str, SignatureInfo] = {}

    def predict(self, users: Sequence[User]) -> Steps[list[Prediction]]:
        """Asks the signature `predict`."""
        outputs = yield from self.call(PREDICT, columns_of(users))
        return predictions_of(outputs, [user.name for user in users])

    def call(self, signature: str, inputs: Mapping[str, Any]) -> Steps[Outputs]:
        """Calls any signature."""
        types, began = None, time.monotonic()
        if self._protocol.needs_types:
            types = yield from self._types(signature)
        query = Query(self._target, signature, inputs)
        reply = yield from self._send(self._protocol.predict(query, types), time.monotonic() - began)
        return self._protocol.read_predict(reply, query, types)

    def status(self) -> Steps[list[VersionStatus]]:
        """Asks for the states of the versions."""
        return self._protocol.read_status((yield from self._send(self._protocol.status(self._target))))

    def signatures(self) -> Steps[dict[str, SignatureInfo]]:
        """Asks for the signatures."""
        return self._protocol.read_metadata((yield from self._send(self._protocol.metadata(self._target))))

    def _types(self, signature: str) -> Steps[SignatureInfo]:
        """Looks the signature up, once; again where it is not known, as a later version may have it."""
        if signature not in self._signatures:
            self._signatures = yield from self.signatures()
        if signature not in self._signatures:
            raise RequestError(f'Serving signature key "{signature}" not found.')
        return self._signatures[signature]

    def _send(self, exchange: Exchange, spent_s: float = 0.0) -> Steps[Reply]:
        """Sends a request of an operation that has taken so long already."""
        return send(exchange, self._retries, max(self._timeout_s - spent_s, 0.0), time.monotonic)
