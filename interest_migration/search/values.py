"""Values that a search found, put into a configuration and written down.

best.yaml
  training.learning_rate: 0.0012
  model.width: 64
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from interest_migration.errors import ConfigError
from interest_migration.search.settings import find_field


def merge_values(config: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the sections of a configuration with fields replaced.

    Args:
      config: Section -> its values.
      found: Dotted field -> value; names with a slash, which KerasTuner adds, are left out.

    Example:
      {"model": {"width": 8, "layers": 1}}, {"model.width": 16} -> {"model": {"width": 16, "layers": 1}}.
    """
    merged = dict(config)
    for name, value in searched(found).items():
        *sections, field = name.split(".")
        target = merged
        for section in sections:
            target[section] = dict(target.get(section) or {})
            target = target[section]
        target[field] = value
    return merged


def searched(found: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of fields, without those that KerasTuner keeps for itself."""
    return {name: value for name, value in found.items() if "/" not in name}


def to_yaml(found: Mapping[str, Any]) -> str:
    """Returns what `read_values` reads."""
    text: str = yaml.safe_dump(searched(found), sort_keys=False)
    return text


def read_values(path: Path) -> dict[str, Any]:
    """Reads the values that a search found.

    Raises:
      ConfigError: If the file is missing or holds something else.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"search.best: expected the YAML file of a search in {path}, received: {error}") from error
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise ConfigError(f"search.best: expected fields such as model.width and their values in {path}")
    for name in values:
        try:
            find_field(name)
        except ValueError as error:
            raise ConfigError(f"search.best: {path}: {error}") from error
    return values
