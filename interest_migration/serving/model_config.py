"""What a model server is told to serve: TensorFlow Serving's own text file beside the models.

    served/models.config               read by TensorFlow Serving (`--model_config_file`) and by the local server
    served/models.audit.jsonl          who changed it, see `interest_migration.serving.audit`
    served/interests/1, 2, 3           the versions

    model_config_list {
      config {
        name: "interests"
        base_path: "/srv/served/interests"
        model_platform: "tensorflow"
        model_version_policy { specific { versions: 2 versions: 3 } }
        version_labels { key: "stable" value: 2 }
        version_labels { key: "canary" value: 3 }
      }
    }

Without the file, or without an entry, the newest version is served, as TensorFlow Serving does by itself. A request
that names neither version nor label goes to the highest version that is loaded.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from interest_migration.errors import DataError
from interest_migration.storage.atomic import replacing

CONFIG_FILE: Final = "models.config"
STABLE: Final = "stable"
CANARY: Final = "canary"
_PLATFORM: Final = "tensorflow"


class Policy(StrEnum):
    """Which versions a server loads."""

    LATEST = "latest"
    SPECIFIC = "specific"
    ALL = "all"


@dataclass(frozen=True)
class Rollout:
    """What a server is told about one model.

    Attributes:
      policy: How the versions to load are chosen.
      versions: Of `SPECIFIC`: the versions, ascending.
      newest: Of `LATEST`: how many of the highest are loaded.
      labels: Label -> version.
      base_path: The model's folder as the server sees it; empty where there is no entry yet.
    """

    policy: Policy = Policy.LATEST
    versions: tuple[int, ...] = ()
    newest: int = 1
    labels: Mapping[str, int] = field(default_factory=dict)
    base_path: str = ""

    def loads(self, present: Collection[int]) -> tuple[int, ...]:
        """Returns which of the versions on disk a server loads, ascending.

        Example:
          latest 1 of 1, 2, 3 -> 3; specific 2, 9 of 1, 2, 3 -> 2.
        """
        match self.policy:
            case Policy.LATEST:
                return tuple(sorted(present)[-self.newest :])
            case Policy.ALL:
                return tuple(sorted(present))
            case Policy.SPECIFIC:
                return tuple(sorted(set(self.versions) & set(present)))

    def serves(self, present: Collection[int]) -> int | None:
        """Returns the version that people mean by "served": the stable one, or else the highest that is loaded."""
        if STABLE in self.labels:
            return self.labels[STABLE] if self.labels[STABLE] in present else None
        return max(self.loads(present), default=None)

    def needs(self, present: Collection[int]) -> frozenset[int]:
        """Returns the versions that must not be removed: loaded, pinned or labelled."""
        return frozenset((*self.loads(present), *self.versions, *self.labels.values()))

    def to_json(self) -> dict[str, Any]:
        """Returns policy and labels as plain values."""
        values = {Policy.LATEST: self.newest, Policy.SPECIFIC: list(self.versions), Policy.ALL: True}
        return {"policy": {self.policy.value: values[self.policy]}, "labels": dict(self.labels)}


def config_file(directory: Path) -> Path:
    """Returns the place of the file for a model's folder: beside that folder."""
    return directory.parent / CONFIG_FILE


def read_rollout(directory: Path) -> Rollout:
    """Reads what servers are told about a model; the default if there is no file or no entry.

    Args:
      directory: The model's folder, whose subfolders are version numbers.

    Raises:
      DataError: If the file is damaged, or names no list of models.
    """
    entry = _find(read_config(config_file(directory)), directory.name)
    return Rollout() if entry is None else to_rollout(entry)


def read_config(path: Path) -> ModelServerConfig:
    """Reads the file; an empty list of models if there is none.

    Raises:
      DataError: If it cannot be parsed or is no list of models.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ModelServerConfig()
    except (UnicodeDecodeError, OSError) as error:
        raise _unreadable(str(path), error) from error
    config = parse_config(text, str(path))
    if config.WhichOneof("config") == "custom_model_config":
        raise DataError(f"expected a model_config_list in {path}, received a custom_model_config")
    return config


def parse_config(text: str, source: str) -> ModelServerConfig:
    """Parses the text of the file.

    Args:
      text: The message in protobuf's text format.
      source: Where the text is from, for errors.

    Raises:
      DataError: If it is no such message.
    """
    try:
        return text_format.Parse(text, ModelServerConfig())
    except text_format.ParseError as error:
        raise _unreadable(source, error) from error


def _unreadable(source: str, error: Exception) -> DataError:
    return DataError(
        f"expected a ModelServerConfig in text format in {source}, received: {error}. "
        "Repair it, or restore it from the audit log beside it"
    )


def render(directory: Path, rollout: Rollout) -> str:
    """Returns the text of the file with a model's entry replaced; other models and fields stay as they are."""
    config = read_config(config_file(directory))
    entry = _find(config, directory.name)
    if entry is None:
        entry = config.model_config_list.config.add(name=directory.name, model_platform=_PLATFORM)
    entry.base_path = rollout.base_path or entry.base_path or str(directory.resolve())
    entry.ClearField("model_version_policy")
    match rollout.policy:
        case Policy.LATEST:
            entry.model_version_policy.latest.num_versions = rollout.newest
        case Policy.ALL:
            entry.model_version_policy.all.SetInParent()
        case Policy.SPECIFIC:
            entry.model_version_policy.specific.versions.extend(rollout.versions)
    entry.version_labels.clear()
    entry.version_labels.update(rollout.labels)
    return str(text_format.MessageToString(config))


def write_rollout(directory: Path, rollout: Rollout) -> None:
    """Replaces a model's entry by one rename; the caller holds the lock of `interest_migration.serving.versions`.

    Raises:
      DataError: If the file is damaged or cannot be written.
    """
    path, text = config_file(directory), render(directory, rollout)
    try:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"expected a file that can be written, received {path}: {error.strerror}") from error


def model_names(models: Path) -> Sequence[str]:
    """Returns the models of a push directory: subfolders that hold versions, and entries of the file."""
    folders = [path.name for path in models.iterdir() if _holds_versions(path)] if models.is_dir() else []
    listed = [entry.name for entry in read_config(models / CONFIG_FILE).model_config_list.config]
    return sorted({*folders, *listed})


def _holds_versions(path: Path) -> bool:
    return path.is_dir() and any(entry.name.isascii() and entry.name.isdigit() for entry in path.iterdir())


def _find(config: ModelServerConfig, name: str) -> ModelConfig | None:
    return next((entry for entry in config.model_config_list.config if entry.name == name), None)


def to_rollout(entry: ModelConfig) -> Rollout:
    """Returns what an entry of the file says."""
    policy, labels = entry.model_version_policy, dict(sorted(entry.version_labels.items()))
    match policy.WhichOneof("policy_choice"):
        case "specific":
            versions = tuple(sorted(set(policy.specific.versions)))
            return Rollout(Policy.SPECIFIC, versions, labels=labels, base_path=entry.base_path)
        case "all":
            return Rollout(Policy.ALL, labels=labels, base_path=entry.base_path)
        case _:
            newest = max(policy.latest.num_versions, 1)
            return Rollout(Policy.LATEST, newest=newest, labels=labels, base_path=entry.base_path)
