"""The backend's metadata store: artifacts by number, with the types of values that it knows, and what is cached."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from kfp_checks import RejectedError

_ADDRESS = re.compile(r"^(gs|s3|minio)://[^/?]+/.+")


@dataclass
class MetadataStore:
    """What all runs of a cluster have left.

    Attributes:
      artifacts: Number -> `RuntimeArtifact`, without its type.
      cache: Cache key -> output -> number of its artifact.
    """

    artifacts: dict[int, dict[str, Any]] = field(default_factory=dict)
    cache: dict[str, dict[str, int]] = field(default_factory=dict)

    def record(self, name: str, artifact: dict[str, Any]) -> int:
        """Stores an artifact as `RecordArtifact` does; the backend adds two properties of its own."""
        stored = {key: _stored(key, value) for key, value in artifact.get("metadata", {}).items()}
        stored = {"display_name": name, "store_session_info": "null", **stored}
        self.artifacts[len(self.artifacts) + 1] = {"uri": artifact["uri"], "metadata": stored}
        return len(self.artifacts)

    def input(self, number: int) -> dict[str, Any]:
        """Returns an artifact as the driver hands it to a task: the number is its name, and its type is lost."""
        artifact = self.artifacts[number]
        if not _ADDRESS.match(artifact["uri"]):
            raise RejectedError(f"parse bucket config failed: unrecognized uri format: {artifact['uri']}")
        return {"name": str(number), "type": {"instanceSchema": ""}, **artifact}


def _stored(key: str, value: Any) -> Any:
    """Numbers become floating; structures get a level of their own."""
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, list):
        return {"list": value}
    if isinstance(value, dict):
        return {"struct": value}
    if isinstance(value, str):
        return value
    raise RejectedError(f"unknown/unsupported value type of metadata {key}: {value!r}")


def cache_key(executor_input: dict[str, Any], container: dict[str, Any], claims: list[str]) -> str:
    """Returns what makes two tasks one: inputs by number, parameters, outputs without addresses, command, image."""
    inputs = executor_input["inputs"]
    names = {key: [one["name"] for one in found["artifacts"]] for key, found in inputs["artifacts"].items()}
    outputs = {
        key: [{"type": one["type"], "metadata": one.get("metadata")} for one in found["artifacts"]]
        for key, found in executor_input["outputs"]["artifacts"].items()
    }
    command = [*container["command"], *container["args"]]
    parts = [names, inputs["parameterValues"], outputs, command, container["image"], sorted(set(claims))]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
