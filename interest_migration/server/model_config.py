"""Which models, versions and labels are wanted: TensorFlow Serving's own configuration, or the folders themselves.

    model_config_list {
      config {
        name: "interests"
        base_path: "interests"
        model_platform: "tensorflow"
        model_version_policy { specific { versions: 3 versions: 4 } }
        version_labels { key: "stable" value: 3 }
        version_labels { key: "canary" value: 4 }
      }
    }

A relative `base_path` is relative to the folder of the models. In place of one that does not exist here, such as one
inside a container, the folder with the model's name among the models is taken.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from interest_migration.errors import ConfigError, DataError
from interest_migration.serving.model_config import Policy as Told
from interest_migration.serving.model_config import Rollout, parse_config, to_rollout
from interest_migration.serving.versions import list_versions

_PLATFORM: Final = "tensorflow"


@dataclass(frozen=True)
class Policy:
    """Which versions of those on disk are wanted: the `latest` so many, all, or `specific` ones.

    Example:
      versions 1, 2, 3 on disk: latest 2 -> 3, 2; specific 1, 9 -> 1; all -> 3, 2, 1
    """

    latest: int | None = 1
    specific: tuple[int, ...] | None = None

    def candidates(self, on_disk: Iterable[int]) -> list[int]:
        """Returns the versions that may be served, newest first."""
        newest_first = sorted(on_disk, reverse=True)
        return newest_first if self.specific is None else [n for n in newest_first if n in self.specific]


@dataclass(frozen=True)
class ModelConfig:
    """One model: its folder of versions, what is wanted of them, and label -> version."""

    name: str
    folder: Path
    policy: Policy = Policy()
    labels: Mapping[str, int] = field(default_factory=dict)


def discover(models: Path) -> tuple[ModelConfig, ...]:
    """Returns the folders that hold numbered versions; of each, the latest is served.

    Raises:
      ConfigError: If the folder of the models does not exist.
    """
    if not models.is_dir():
        raise ConfigError(f"expected a folder of models, received {models}, which is none")
    folders = sorted(path for path in models.iterdir() if path.is_dir() and not path.name.startswith("."))
    return tuple(ModelConfig(path.name, path) for path in folders if list_versions(path))


def read_config(text: str, models: Path, source: str) -> tuple[ModelConfig, ...]:
    """Reads a ModelServerConfig.

    Args:
      text: The message in protobuf's text format.
      models: Folder that relative paths start from.
      source: Where the text is from, for errors.

    Raises:
      ConfigError: If it is no such message, or not one that can be served.
    """
    try:
        return from_message(parse_config(text, source), models)
    except DataError as error:
        raise ConfigError(str(error)) from error
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error


def from_message(message: ModelServerConfig, models: Path) -> tuple[ModelConfig, ...]:
    """Returns the models of a ModelServerConfig.

    Raises:
      ConfigError: If it has no list of models, a model twice, a platform other than `tensorflow`, or a label of a
        version below 0.
    """
    if message.WhichOneof("config") != "model_config_list":
        raise ConfigError("expected model_config_list, received none")
    found = tuple(_model(config, models) for config in message.model_config_list.config)
    names = [config.name for config in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"expected every model once, received {name} {names.count(name)} times")
    return found


def _model(config: Any, models: Path) -> ModelConfig:
    if not config.name or not config.base_path:
        raise ConfigError(f"expected name and base_path of every model, received name {config.name!r}")
    if config.model_platform not in ("", _PLATFORM):
        raise ConfigError(f"expected model_platform {_PLATFORM!r}, received {config.model_platform!r}")
    told = to_rollout(config)
    if not all(told.labels):
        raise ConfigError(f"expected labels with names, received an empty one of model {config.name}")
    return ModelConfig(config.name, _folder(config, models), _policy(told), told.labels)


def _folder(config: Any, models: Path) -> Path:
    folder, here = models / config.base_path, models / config.name
    return here if not folder.exists() and here.exists() else folder


def _policy(told: Rollout) -> Policy:
    match told.policy:
        case Told.SPECIFIC:
            return Policy(latest=None, specific=told.versions)
        case Told.ALL:
            return Policy(latest=None)
        case Told.LATEST:
            return Policy(latest=told.newest)
