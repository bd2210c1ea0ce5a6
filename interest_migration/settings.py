"""Base of all settings: frozen, strict about names, and with errors that name the file and the field."""

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from interest_migration.errors import ConfigError


class Settings(BaseModel):
    """Values read from YAML or JSON. Unknown keys are errors; instances cannot be changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Reads and validates one YAML file.

        Raises:
          ConfigError: If the file is missing, is not YAML, or does not fit; the message lists every wrong field.
        """
        return cls.from_values(read_yaml(path), source=str(path))

    @classmethod
    def from_values(cls, values: object, *, source: str) -> Self:
        """Validates already parsed values; `source` names their origin in errors."""
        try:
            return cls.model_validate({} if values is None else values)
        except ValidationError as error:
            raise ConfigError(f"{source}: {describe(error)}") from error


def read_yaml(path: Path) -> object:
    """Reads one YAML file.

    Raises:
      ConfigError: If the file is missing or is not YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"expected a readable file {path}, received: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected YAML in {path}, received: {error}") from error


def describe(error: ValidationError) -> str:
    """Returns one line per wrong field: where, what was expected, what was received."""
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"]) or "(top level)"
        lines.append(f"{where}: {problem['msg']}, received {_shown(problem['input'])}")
    return "; ".join(lines)


def _shown(value: object) -> str:
    """Shows what stands at one field; of a section that does not fit as a whole, its keys (lists may hold user ids)."""
    if isinstance(value, dict):
        return "a section with " + (", ".join(map(str, value)) or "nothing")
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return repr(value)
