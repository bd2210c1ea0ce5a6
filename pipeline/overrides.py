"""Values of a configuration: a YAML file, and what the command line sets in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from interest_migration.errors import ConfigError
from interest_migration.settings import read_yaml


def read_values(path: Path | None, overrides: Sequence[str]) -> dict[str, Any]:
    """Reads a YAML file of fields, or starts from none, and applies overrides such as `training.epochs=3`.

    Raises:
      ConfigError: If the file or an override cannot be read.
    """
    values = {} if path is None else _read_section(path)
    for override in overrides:
        _set(values, override)
    return values


def _read_section(path: Path) -> dict[str, Any]:
    values = read_yaml(path)
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected fields and values, received {type(values).__name__}")
    return values


def _set(values: dict[str, Any], override: str) -> None:
    name, found, text = override.partition("=")
    if not found or not all(name.split(".")):
        raise ConfigError(f"--set: expected field=value such as training.epochs=3, received {override!r}")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {name}: expected a YAML value, received {text!r}") from error
    *sections, field = name.split(".")
    target: Any = values
    for section in sections:
        target = target.setdefault(section, {})
        if not isinstance(target, Mapping):
            raise ConfigError(f"--set {name}: expected a section {section}, received the value {target!r}")
    target[field] = value
