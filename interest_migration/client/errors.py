"""What can go wrong when a server is asked.

ClientError
|-- RequestError       the request is wrong: names, types, shapes, values      INVALID_ARGUMENT ...   400 413 ...
|-- NotFoundError      no such model or version, or not loaded                 NOT_FOUND              404
|-- TimedOutError      no answer in time                                       DEADLINE_EXCEEDED      504, time-out
|-- OverloadedError    too many requests; tried again on its own               RESOURCE_EXHAUSTED     429
|-- UnavailableError   nobody answers there; tried again on its own            UNAVAILABLE            503, no connection
|-- ServerError        the server failed                                       INTERNAL ...           500 ...
`-- AnswerError        the answer is not what was asked for
"""

import json
from typing import Final

import grpc
import httpx

from interest_migration.errors import InputError, InterestMigrationError


class ClientError(InterestMigrationError):
    """Base of all errors of the client."""


class RequestError(ClientError, InputError):
    """The server does not accept the request; the same request will never be answered."""


class NotFoundError(ClientError, InputError):
    """The server has no such model, version or method."""


class TimedOutError(ClientError):
    """No answer came in time; the server may still be working on it."""


class OverloadedError(ClientError):
    """The server has too much to do."""


class UnavailableError(ClientError):
    """The server cannot be reached, or is stopping."""


class ServerError(ClientError):
    """The server failed."""


class AnswerError(ClientError):
    """The answer lacks what was asked for, or is no answer at all."""


RETRIED: Final = (OverloadedError, UnavailableError)
"""A second try may succeed and does no harm."""

_OF_CODE: Final = {
    grpc.StatusCode.INVALID_ARGUMENT: RequestError,
    grpc.StatusCode.FAILED_PRECONDITION: RequestError,
    grpc.StatusCode.OUT_OF_RANGE: RequestError,
    grpc.StatusCode.UNIMPLEMENTED: RequestError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.DEADLINE_EXCEEDED: TimedOutError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: OverloadedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
}
_OF_STATUS: Final = {
    404: NotFoundError,
    408: TimedOutError,
    429: OverloadedError,
    503: UnavailableError,
    504: TimedOutError,
}
_CLIENT_ERRORS: Final = range(400, 500)
_TOO_LARGE: Final = "larger than max"


def of_rpc(error: grpc.RpcError, address: str) -> ClientError:
    """Returns the error behind a failed RPC."""
    code, details = error.code(), error.details() or ""
    kind = _OF_CODE.get(code, ServerError)
    if kind is OverloadedError and _TOO_LARGE in details:
        kind = RequestError  # gRPC has the same code for a message that is too large, which no second try makes smaller
    return kind(f"{address}: {code.name}: {details}")


def of_response(status: int, body: bytes, address: str) -> ClientError:
    """Returns the error behind an HTTP status that is not 200."""
    try:
        message = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        message = body[:200].decode("utf-8", "replace")
    kind = _OF_STATUS.get(status, RequestError if status in _CLIENT_ERRORS else ServerError)
    return kind(f"{address}: HTTP {status}: {message}")


def of_transport(error: httpx.HTTPError, address: str) -> ClientError:
    """Returns the error behind a connection that failed."""
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return TimedOutError(f"{address}: no answer in time")
    return UnavailableError(f"{address}: {type(error).__name__}: {error}")
