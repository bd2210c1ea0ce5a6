"""What the backend tells a container, made into what TFX's entrypoint takes; and TFX's answer made into the backend's.

Both are `ExecutorInput` and `ExecutorOutput` as plain values. The backend sends input artifacts without types and with
addresses that TensorFlow cannot open; it takes back addresses in its object store only, and no empty values.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pipeline.kubeflow.local_copies import LocalCopies, is_remote, map_texts
from pipeline.kubeflow.parameters import write_place

Values = dict[str, Any]

PLACE: Final = "place"
"""Metadata of an artifact that lies outside of the object store, such as a served model: its path."""

_LOGS: Final = "executor-logs"
"""An output that the backend adds to every step for itself."""


def prepare_input(
    given: Values, inputs_spec: Mapping[str, Any], overrides: Mapping[str, Sequence[str]], copies: LocalCopies
) -> Values:
    """Returns the input of TFX's entrypoint.

    Args:
      given: `ExecutorInput` as the backend sends it.
      inputs_spec: `inputDefinitions` of the component: types.
      overrides: Parameter -> another parameter and the keys in its JSON that it is written to.
      copies: Addresses and paths.
    """
    inputs, outputs = given.get("inputs", {}), given.get("outputs", {})
    artifacts = {
        name: {"artifacts": [_input_artifact(artifact, name, inputs_spec, copies) for artifact in found["artifacts"]]}
        for name, found in inputs.get("artifacts", {}).items()
    }
    written = {name: found for name, found in outputs.get("artifacts", {}).items() if name != _LOGS}
    return {
        "inputs": {
            **inputs,
            "artifacts": artifacts,
            "parameterValues": _parameters(inputs.get("parameterValues", {}), inputs_spec, overrides),
        },
        "outputs": {**outputs, "artifacts": map_texts(written, copies.to_local)},
    }


def restore_output(answer: Values, given: Values, copies: LocalCopies) -> Values:
    """Returns the backend's `ExecutorOutput`.

    An artifact whose address the executor set to a path of its own keeps the address that the backend gave it, and
    tells the path in its metadata: the launcher opens every input's address as one of an object store.

    Args:
      answer: `ExecutorOutput` of TFX's entrypoint.
      given: `ExecutorInput` as the backend sent it.
      copies: Addresses and paths.
    """
    restored: Values = map_texts(answer, copies.to_remote)
    assigned = {name: artifact["uri"] for name, artifact in _each_artifact(given.get("outputs", {}))}
    for name, artifact in _each_artifact(restored):
        artifact["metadata"] = {key: value for key, value in artifact.get("metadata", {}).items() if value is not None}
        if not is_remote(artifact.get("uri", "")) and is_remote(assigned[name]):
            artifact["metadata"][PLACE] = artifact["uri"]
            artifact["uri"] = assigned[name]
    return restored


def _each_artifact(values: Mapping[str, Any]) -> Iterator[tuple[str, Values]]:
    for name, found in values.get("artifacts", {}).items():
        for artifact in found.get("artifacts", ()):
            yield name, artifact


def _input_artifact(artifact: Values, name: str, inputs_spec: Mapping[str, Any], copies: LocalCopies) -> Values:
    metadata = dict(artifact.get("metadata", {}))
    uri = metadata.pop(PLACE, artifact.get("uri", ""))
    return {
        **artifact,
        "type": inputs_spec["artifacts"][name]["artifactType"],
        "uri": copies.to_local(uri),
        "metadata": map_texts(metadata, copies.to_local),
    }


def _parameters(
    given: Mapping[str, Any], inputs_spec: Mapping[str, Any], overrides: Mapping[str, Sequence[str]]
) -> Values:
    """Numbers become whole where they must, and structures JSON, as TFX has both."""
    kinds = {name: entry["parameterType"] for name, entry in inputs_spec.get("parameters", {}).items()}
    values = {name: _plain(value, kinds.get(name, "")) for name, value in given.items()}
    for name, (target, *path) in overrides.items():
        values[target] = write_place(values[target], tuple(path), values.pop(name))
    return values


def _plain(value: Any, kind: str) -> Any:
    if kind == "NUMBER_INTEGER":
        return int(value)
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value
