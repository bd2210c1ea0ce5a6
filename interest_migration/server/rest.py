"""TensorFlow Serving's REST API, health and metrics.

    POST /v1/models/NAME[/versions/V | /labels/L]:predict
    GET  /v1/models/NAME[/versions/V | /labels/L]             states of the versions
    GET  /v1/models/NAME[/versions/V | /labels/L]/metadata    signatures
    GET  /monitoring/prometheus/metrics                       GET /monitoring/models  models, labels, errors
    GET  /healthz  the process answers                        GET /readyz             every model answers

Errors are `{"error": "..."}` with the status of their code.
"""

import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc
from aiohttp import web
from google.protobuf import json_format

from interest_migration.server.calls import Answer, Call, ModelChoice
from interest_migration.server.metadata import metadata_json
from interest_migration.server.rest_tensors import read_inputs, write_outputs
from interest_migration.server.serving_error import ServingError, http_status, invalid
from interest_migration.server.state import ServerState, signature_of
from interest_migration.server.status import status_of
from interest_migration.server.versions import ServedVersion
from schemas.signatures import SERVE

LOG = logging.getLogger(__name__)
PROTOCOL: Final = "rest"
MODEL_VERSION_HEADER: Final = "X-Model-Version"
"""Of an answer: which version made it. TensorFlow Serving does not send it."""

_MODEL: Final = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_METHOD: Final = re.compile(_MODEL + r":(?P<method>predict|classify|regress)")
_LOOK: Final = re.compile(_MODEL + r"(?P<metadata>/metadata)?")
_MAX_INT64: Final = (1 << 63) - 1
_MAX_DIGITS: Final = len(str(_MAX_INT64))
_SERVER_ERROR: Final = 500
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RestApi:
    """Answers HTTP requests from the server's state."""

    def __init__(self, state: ServerState) -> None:
        self._state = state

    def add_to(self, app: web.Application) -> None:
        """Registers the routes."""
        app.router.add_get("/healthz", self.health)
        app.router.add_get("/readyz", self.ready)
        app.router.add_get("/monitoring/prometheus/metrics", self.metrics)
        app.router.add_get("/monitoring/models", self.models)
        app.router.add_route("*", "/v1/{rest:.*}", self.api)

    async def api(self, request: web.Request) -> web.Response:
        """Answers everything under `/v1/`."""
        path = request.path
        if request.method == "POST" and (found := _METHOD.fullmatch(path)):
            return await self._call(request, found)
        if request.method in ("GET", "HEAD") and (found := _LOOK.fullmatch(path)):
            return self._look(found)
        raise invalid(f"Malformed request: {request.method} {path}")

    async def health(self, _: web.Request) -> web.Response:
        """Says that the process answers."""
        return web.json_response({"status": "alive"})

    async def ready(self, _: web.Request) -> web.Response:
        """Says whether every model answers; 503 if not."""
        if not self._state.is_ready():
            raise ServingError(grpc.StatusCode.UNAVAILABLE, "not every model has a version that answers")
        return web.json_response({"status": "ready"})

    async def metrics(self, _: web.Request) -> web.Response:
        """Returns the metrics."""
        return web.Response(body=self._state.metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def models(self, _: web.Request) -> web.Response:
        """Returns all models, their versions and labels, and what is wrong with the configuration."""
        models = [model.to_json() for model in self._state.models()]
        return web.json_response({"models": models, "config_error": self._state.watcher.config_error})

    async def _call(self, request: web.Request, found: re.Match[str]) -> web.Response:
        choice, method = _choice(found), found["method"]
        document = _parse(await request.read())
        signature = document.get("signature_name", SERVE)
        if not isinstance(signature, str):
            raise invalid("'signature_name' key must be a string value.")
        call = Call(choice, signature or SERVE)
        if method != "predict":
            signature_of(self._state.find(call), call.signature)
            raise invalid(f"Expected {method} signature method_name to be tensorflow/serving/{method}")
        answer, row_format = await self._predict(call, document)
        body = _dump(write_outputs(answer.outputs, row_format=row_format))
        return web.Response(
            body=body, content_type="application/json", headers={MODEL_VERSION_HEADER: str(answer.version)}
        )

    async def _predict(self, call: Call, document: dict[str, Any]) -> tuple[Answer, bool]:
        row_format = False

        async def ask(version: ServedVersion) -> Answer:
            nonlocal row_format
            spec = version.model.signatures.get(call.signature) if version.model else None
            if spec is None:
                raise invalid(f'Serving signature name: "{call.signature}" not found in signature def')
            inputs, row_format = read_inputs(document, spec)
            return await self._state.ask(version, Call(call.model, call.signature, inputs), None)

        return await self._state.observed(call, PROTOCOL, ask), row_format

    def _look(self, found: re.Match[str]) -> web.Response:
        choice = _choice(found)
        if found["metadata"]:
            return web.json_response(metadata_json(choice.name, self._state.find(Call(choice))))
        status = status_of(self._state, choice)
        return web.json_response(
            json_format.MessageToDict(
                status, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
        )


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns errors into `{"error": "..."}` with their status."""
    try:
        return await handler(request)
    except ServingError as error:
        return _error(http_status(error.code), error.message)
    except web.RequestPayloadError:
        return _damaged(request)
    except web.HTTPException as error:
        if error.status < web.HTTPBadRequest.status_code:
            raise  # a redirection
        return _error(error.status, error.text or error.reason)
    except Exception as error:
        LOG.exception("a request failed")
        return _error(_SERVER_ERROR, f"{type(error).__name__} while answering; the server's log has more")


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


def _choice(found: re.Match[str]) -> ModelChoice:
    digits = found["version"]
    if digits is None:
        return ModelChoice(found["name"], label=found["label"])
    if len(digits) > _MAX_DIGITS or int(digits) > _MAX_INT64:
        raise invalid(f"Failed to convert version: {digits} to numeric.")
    return ModelChoice(found["name"], version=int(digits))


def _damaged(request: web.Request) -> web.Response:
    """Says that the connection ends: where a damaged body stops, and the next request begins, nobody knows."""
    encoding = request.headers.get("Content-Encoding", "none")
    message = f"expected a body of Content-Encoding {encoding}, received bytes that are none"
    response = _error(web.HTTPBadRequest.status_code, message)
    response.force_close()
    return response


def _parse(body: bytes) -> dict[str, Any]:
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise invalid("JSON Value: Is not object")
    return document


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
