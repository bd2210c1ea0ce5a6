"""TensorFlow Serving's gRPC services.

Messages are parsed here and not by gRPC, which answers INTERNAL to bytes that are no message; ours is INVALID_ARGUMENT.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError, Message
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from interest_migration.errors import ConfigError, ContractError
from interest_migration.server.calls import Answer, Array, Call, ModelChoice
from interest_migration.server.metadata import SIGNATURE_DEF, metadata_of
from interest_migration.server.model_config import from_message
from interest_migration.server.serving_error import ServingError, invalid
from interest_migration.server.state import ServerState, signature_of
from interest_migration.server.status import status_of
from interest_migration.server.versions import ServedVersion
from interest_migration.tensor_protos import fill_proto, to_array
from schemas.signatures import SERVE

PROTOCOL: Final = "grpc"
_LONGEST_MESSAGE: Final = 2000
"""Longer ones do not fit into the header that gRPC sends them in."""

Handler = Callable[[Any, "grpc.aio.ServicerContext[Any, Any]"], Awaitable[Message]]


class GrpcServices:
    """Answers RPCs from the server's state."""

    def __init__(self, state: ServerState) -> None:
        self._state = state

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """Returns what a gRPC server registers."""
        prediction = {
            "Predict": _rpc(predict_pb2.PredictRequest, self.predict),
            "GetModelMetadata": _rpc(get_model_metadata_pb2.GetModelMetadataRequest, self.get_model_metadata),
            "Classify": _rpc(classification_pb2.ClassificationRequest, self._not_such_a_signature("Classification")),
            "Regress": _rpc(regression_pb2.RegressionRequest, self._not_such_a_signature("Regression")),
            "MultiInference": _rpc(inference_pb2.MultiInferenceRequest, _no_multi_inference),
        }
        model = {
            "GetModelStatus": _rpc(get_model_status_pb2.GetModelStatusRequest, self.get_model_status),
            "HandleReloadConfigRequest": _rpc(model_management_pb2.ReloadConfigRequest, self.reload_config),
        }
        return [
            grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", prediction),
            grpc.method_handlers_generic_handler("tensorflow.serving.ModelService", model),
        ]

    async def predict(self, request: Any, context: Any) -> Message:
        """Calls a signature."""
        choice, signature = _choice(request), request.model_spec.signature_name or SERVE

        async def ask(version: ServedVersion) -> Answer:
            inputs = {name: _array(name, proto) for name, proto in request.inputs.items()}
            call = Call(choice, signature, inputs, tuple(request.output_filter))
            return await self._state.ask(version, call, context.time_remaining())

        answer = await self._state.observed(Call(choice, signature), PROTOCOL, ask)
        response = predict_pb2.PredictResponse()
        _name_version(response.model_spec, choice.name, answer.version, answer.signature)
        for name, value in answer.outputs.items():
            fill_proto(response.outputs[name], value)
        return response

    async def get_model_metadata(self, request: Any, _: Any) -> Message:
        """Returns the signatures of a version."""
        choice = _choice(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for name in request.metadata_field:
            if name != SIGNATURE_DEF:
                raise invalid(f"Metadata field {name} is not supported")
        version = self._state.find(Call(choice))
        return metadata_of(choice.name, version)

    async def get_model_status(self, request: Any, _: Any) -> Message:
        """Returns the states of a model's versions."""
        return status_of(self._state, _choice(request))

    async def reload_config(self, request: Any, _: Any) -> Message:
        """Puts a configuration in force until the file changes."""
        try:
            configs = from_message(request.config, self._state.settings.models)
        except ConfigError as error:
            raise invalid(str(error)) from error
        response = model_management_pb2.ReloadConfigResponse()
        failures = await self._state.watcher.reload(configs)
        if failures:
            response.status.error_code = grpc.StatusCode.UNKNOWN.value[0]
            response.status.error_message = f"Some models did not become available: {{{'; '.join(failures)}}}"
        return response

    def _not_such_a_signature(self, kind: str) -> Handler:
        """Models here have signatures for Predict only; TensorFlow Serving answers INVALID_ARGUMENT in that case."""

        async def refuse(request: Any, _: Any) -> Message:
            choice = _choice(request)
            signature_of(self._state.find(Call(choice)), request.model_spec.signature_name)
            raise invalid(f"Expected {kind} signature method_name to be tensorflow/serving/{kind.lower()}")

        return refuse


async def _no_multi_inference(*_: Any) -> Message:
    raise ServingError(grpc.StatusCode.UNIMPLEMENTED, "MultiInference is not supported; call Predict")


def _rpc(message: Any, handle: Handler) -> Any:
    async def answer(data: bytes, context: Any) -> Message:
        try:
            return await handle(_parse(message, data), context)
        except ServingError as error:
            await context.abort(error.code, error.message[:_LONGEST_MESSAGE])
            raise

    return grpc.unary_unary_rpc_method_handler(answer, None, lambda response: response.SerializeToString())


def _parse(message: Any, data: bytes) -> Any:
    try:
        return message.FromString(data)
    except DecodeError as error:
        raise invalid(f"expected a {message.DESCRIPTOR.full_name}, received bytes that are none") from error


def _choice(request: Any) -> ModelChoice:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    spec = request.model_spec
    kind = spec.WhichOneof("version_choice")
    return ModelChoice(
        spec.name,
        version=int(spec.version.value) if kind == "version" else None,
        label=spec.version_label if kind == "version_label" else None,
    )


def _array(name: str, proto: Any) -> Array:
    try:
        return to_array(proto)
    except ContractError as error:
        raise invalid(f"input {name}: {error}") from error


def _name_version(spec: Any, name: str, version: int, signature: str) -> None:
    spec.name, spec.signature_name, spec.version.value = name, signature, version
