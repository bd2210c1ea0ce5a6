"""GetModelStatus."""

import grpc
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusResponse, ModelVersionStatus

from interest_migration.server.calls import Call, ModelChoice
from interest_migration.server.serving_error import ServingError, invalid
from interest_migration.server.state import ServerState


def status_of(state: ServerState, choice: ModelChoice) -> GetModelStatusResponse:
    """Returns the states of all versions of a model that the server has seen, newest first, or of the one chosen.

    Raises:
      ServingError: NOT_FOUND if there is no such model or version; INVALID_ARGUMENT if the label is unknown.
    """
    if not choice.name:
        raise invalid("ModelSpec has no name specified.")
    model = state.watcher.models.get(choice.name)
    if model is None or not model.versions:
        raise ServingError(grpc.StatusCode.NOT_FOUND, f"Could not find any versions of model {choice.name}")
    number = state.find(Call(choice)).number if choice.label is not None else choice.version
    if number is not None and number not in model.versions:
        raise ServingError(grpc.StatusCode.NOT_FOUND, f"Could not find version {number} of model {choice.name}")
    response = GetModelStatusResponse()
    for version in sorted(model.versions.values(), key=lambda each: -each.number):
        if number in (None, version.number):
            found = response.model_version_status.add()
            found.version, found.state = version.number, ModelVersionStatus.State.Value(version.state.value)
            if version.error:
                found.status.error_code = grpc.StatusCode.UNKNOWN.value[0]
                found.status.error_message = version.error
            else:
                found.status.SetInParent()
    return response
