"""Requests and answers of TensorFlow Serving's gRPC services, as bytes."""

from typing import Any, Final

from google.protobuf.message import DecodeError

from interest_migration.client.errors import AnswerError
from interest_migration.client.exchanges import Exchange, Reply
from interest_migration.client.messages import (
    STATES,
    GetModelMetadataRequest,
    GetModelMetadataResponse,
    GetModelStatusRequest,
    GetModelStatusResponse,
    PredictRequest,
    PredictResponse,
    SignatureDefMap,
)
from interest_migration.client.queries import (
    INITIALIZER,
    Outputs,
    Query,
    SignatureInfo,
    Target,
    TensorInfo,
    VersionStatus,
)
from interest_migration.errors import ContractError
from interest_migration.tensor_protos import fill_proto, to_array

_PREDICTION: Final = "/tensorflow.serving.PredictionService/"
_MODEL: Final = "/tensorflow.serving.ModelService/"
_SIGNATURES: Final = "signature_def"


class GrpcProtocol:
    """Writes requests and reads answers."""

    needs_types: Final = False

    def predict(self, query: Query, types: SignatureInfo | None) -> Exchange:
        """Returns the request of a call."""
        del types  # the message carries them
        request = PredictRequest()
        _fill_spec(request.model_spec, query.target, query.signature)
        for name, value in query.inputs.items():
            fill_proto(request.inputs[name], value)
        return Exchange(_PREDICTION + "Predict", request.SerializeToString())

    def read_predict(self, reply: Reply, query: Query, types: SignatureInfo | None) -> Outputs:
        """Returns the outputs."""
        del query, types
        response = _read(PredictResponse, reply)
        try:
            arrays = {name: to_array(value) for name, value in response.outputs.items()}
        except ContractError as error:
            raise AnswerError(f"expected tensors in the answer, received: {error}") from error
        version = int(response.model_spec.version.value) if response.model_spec.HasField("version") else None
        return Outputs(version, arrays)

    def status(self, target: Target) -> Exchange:
        """Returns the request for the states of a model's versions."""
        request = GetModelStatusRequest()
        _fill_spec(request.model_spec, target)
        return Exchange(_MODEL + "GetModelStatus", request.SerializeToString())

    def read_status(self, reply: Reply) -> list[VersionStatus]:
        """Returns the states, as the server orders them."""
        found = _read(GetModelStatusResponse, reply).model_version_status
        return [
            VersionStatus(int(each.version), STATES.get(each.state, "UNKNOWN"), each.status.error_message)
            for each in found
        ]

    def metadata(self, target: Target) -> Exchange:
        """Returns the request for a version's signatures."""
        request = GetModelMetadataRequest(metadata_field=[_SIGNATURES])
        _fill_spec(request.model_spec, target)
        return Exchange(_PREDICTION + "GetModelMetadata", request.SerializeToString())

    def read_metadata(self, reply: Reply) -> dict[str, SignatureInfo]:
        """Returns the signatures by name."""
        packed = _read(GetModelMetadataResponse, reply).metadata[_SIGNATURES].value
        return {
            name: SignatureInfo(_infos(found.inputs), _infos(found.outputs))
            for name, found in _read(SignatureDefMap, Reply(packed)).signature_def.items()
            if name != INITIALIZER
        }


def _fill_spec(spec: Any, target: Target, signature: str = "") -> None:
    spec.name, spec.signature_name = target.model, signature
    if target.version is not None:
        spec.version.value = target.version
    elif target.label is not None:
        spec.version_label = target.label


def _read(message: Any, reply: Reply) -> Any:
    try:
        return message.FromString(reply.body)
    except DecodeError as error:
        raise AnswerError(
            f"expected a {message.DESCRIPTOR.name}, received {len(reply.body)} bytes that are none"
        ) from error


def _infos(infos: Any) -> dict[str, TensorInfo]:
    return {
        name: TensorInfo(info.dtype, tuple(dim.size for dim in info.tensor_shape.dim)) for name, info in infos.items()
    }
