"""Errors that a client sees: a canonical code and a message, over both protocols."""

from typing import Final

import grpc

from interest_migration.errors import InterestMigrationError

_CODES: Final = {int(code.value[0]): code for code in grpc.StatusCode}
_HTTP: Final = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}


class ServingError(InterestMigrationError):
    """An answer that is an error.

    Args:
      code: Canonical code.
      message: What the client reads.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> ServingError:
    """Returns an error about the request itself."""
    return ServingError(grpc.StatusCode.INVALID_ARGUMENT, message)


def code_of_number(number: int) -> grpc.StatusCode:
    """Returns the canonical code with this number, UNKNOWN if there is none."""
    return _CODES.get(number, grpc.StatusCode.UNKNOWN)


def http_status(code: grpc.StatusCode) -> int:
    """Returns the HTTP status that TensorFlow Serving gives a code: 400 for INVALID_ARGUMENT, 500 for INTERNAL, ..."""
    return _HTTP.get(code, 500)
