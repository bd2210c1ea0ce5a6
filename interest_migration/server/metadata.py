"""GetModelMetadata, as a message and as JSON."""

from typing import Any, Final

from google.protobuf import json_format
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataResponse, SignatureDefMap

from interest_migration.server.versions import ServedVersion

SIGNATURE_DEF: Final = "signature_def"


def metadata_of(name: str, version: ServedVersion) -> GetModelMetadataResponse:
    """Returns the signatures of a version that answers."""
    response = GetModelMetadataResponse()
    response.model_spec.name, response.model_spec.version.value = name, version.number
    response.metadata[SIGNATURE_DEF].Pack(_signatures(version))
    return response


def metadata_json(name: str, version: ServedVersion) -> dict[str, Any]:
    """Returns the same in the shape of TensorFlow Serving's REST API."""
    signatures = json_format.MessageToDict(
        _signatures(version), preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    spec = {"name": name, "signature_name": "", "version": str(version.number)}
    return {"model_spec": spec, "metadata": {SIGNATURE_DEF: signatures}}


def _signatures(version: ServedVersion) -> SignatureDefMap:
    found = SignatureDefMap()
    if version.model:
        for name, definition in version.model.signature_defs.items():
            found.signature_def[name].CopyFrom(definition)
    return found
