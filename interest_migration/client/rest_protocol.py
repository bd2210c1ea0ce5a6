"""Requests and answers of TensorFlow Serving's REST API, in columnar format, as bytes.

JSON does not tell types, so the client asks for the signatures once.
"""

import base64
import binascii
import json
from typing import Any, Final
from urllib.parse import quote

import numpy as np

from interest_migration.client.errors import AnswerError, RequestError
from interest_migration.client.exchanges import Exchange, Reply
from interest_migration.client.queries import (
    INITIALIZER,
    Array,
    Outputs,
    Query,
    SignatureInfo,
    Target,
    TensorInfo,
    VersionStatus,
)
from interest_migration.tensor_protos import DTYPES, as_array, dtype_number

_GET: Final = "GET"


class RestProtocol:
    """Writes requests and reads answers."""

    needs_types: Final = True

    def predict(self, query: Query, types: SignatureInfo | None) -> Exchange:
        """Returns the request of a call."""
        del types
        columns = {name: _plain(as_array(value)) for name, value in query.inputs.items()}
        document = {"signature_name": query.signature, "inputs": columns}
        try:
            body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise RequestError(f"expected Unicode text, received half a surrogate pair: {error}") from error
        return Exchange(_path(query.target) + ":predict", body)

    def read_predict(self, reply: Reply, query: Query, types: SignatureInfo | None) -> Outputs:
        """Returns the outputs."""
        assert types is not None
        outputs = _field(reply, "outputs")
        if len(types.outputs) == 1 and not (isinstance(outputs, dict) and set(outputs) == set(types.outputs)):
            outputs = {next(iter(types.outputs)): outputs}
        try:
            arrays = {name: _array(outputs[name], info) for name, info in types.outputs.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise AnswerError(f"expected the outputs {', '.join(types.outputs)}, received others: {error}") from error
        version = reply.version if query.target.version is None else query.target.version
        return Outputs(version, arrays)

    def status(self, target: Target) -> Exchange:
        """Returns the request for the states of a model's versions."""
        return Exchange(_path(target), method=_GET)

    def read_status(self, reply: Reply) -> list[VersionStatus]:
        """Returns the states, as the server orders them."""
        try:
            return [
                VersionStatus(int(each["version"]), each["state"], each.get("status", {}).get("error_message", ""))
                for each in _field(reply, "model_version_status")
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise AnswerError(f"expected states of versions, received something else: {error}") from error

    def metadata(self, target: Target) -> Exchange:
        """Returns the request for a version's signatures."""
        return Exchange(_path(target) + "/metadata", method=_GET)

    def read_metadata(self, reply: Reply) -> dict[str, SignatureInfo]:
        """Returns the signatures by name."""
        try:
            found = _field(reply, "metadata")["signature_def"]["signature_def"]
            return {
                name: SignatureInfo(_infos(each.get("inputs", {})), _infos(each.get("outputs", {})))
                for name, each in found.items()
                if name != INITIALIZER
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise AnswerError(f"expected signatures, received something else: {error}") from error


def _path(target: Target) -> str:
    path = f"/v1/models/{quote(target.model, safe='')}"
    if target.version is not None:
        return f"{path}/versions/{target.version}"
    return path if target.label is None else f"{path}/labels/{quote(target.label, safe='')}"


def _plain(value: Array) -> Any:
    """Returns nested lists; bytes as base64, texts as they are."""
    if value.dtype != np.object_:
        return value.tolist()
    flat = np.empty(value.size, object)
    flat[:] = [{"b64": base64.b64encode(v).decode()} if isinstance(v, bytes) else v for v in value.ravel()]
    return flat.reshape(value.shape).tolist()


def _field(reply: Reply, name: str) -> Any:
    try:
        return json.loads(reply.body)[name]
    except (ValueError, KeyError, TypeError) as error:
        raise AnswerError(f"expected a JSON object with {name!r}, received {reply.body[:100]!r}") from error


def _array(value: Any, info: TensorInfo) -> Array:
    dtype = DTYPES[info.dtype]
    if dtype != np.object_:
        array = np.array(value, dtype)
    else:
        shape: list[int] = []
        inner = value
        while isinstance(inner, list):
            shape.append(len(inner))
            inner = inner[0] if inner else None
        array = np.empty(shape, object)
        flat = [value]
        for _ in shape:
            flat = [each for row in flat for each in row]
        array.ravel()[:] = [_bytes(each) for each in flat]
    # The inner sizes of an empty list cannot be read from it.
    return array.reshape([0, *(max(size, 0) for size in info.shape[1:])]) if array.size == 0 and info.shape else array


def _bytes(value: Any) -> bytes:
    if isinstance(value, dict):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except binascii.Error as error:
            raise ValueError(f"expected base64, received {value}") from error
    return str(value).encode()


def _infos(infos: Any) -> dict[str, TensorInfo]:
    return {
        name: TensorInfo(
            dtype_number(info["dtype"]), tuple(int(dim["size"]) for dim in info.get("tensor_shape", {}).get("dim", []))
        )
        for name, info in infos.items()
    }
