"""Users from JSON.

{"name": "a", "at_s": 1700003600, "events": [{"time_s": 1700000000, "action": "view", "item": "lamp"}]}
"""

import json

from pydantic import TypeAdapter, ValidationError

from interest_migration.client.users import User
from interest_migration.errors import ContractError, DataError
from interest_migration.settings import describe

_USERS = TypeAdapter(list[User])


def read_users(data: bytes, source: str) -> list[User]:
    """Reads one user or a list of users.

    Args:
      data: JSON.
      source: Where it is from, for errors.

    Raises:
      DataError: If it is no JSON, or a field is wrong, missing or unknown.
    """
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"expected JSON in {source}, received: {error}") from error
    try:
        return _USERS.validate_python(values if isinstance(values, list) else [values])
    except ValidationError as error:
        raise DataError(f"{source}: {describe(error)}") from error
    except ContractError as error:
        raise DataError(f"{source}: {error}") from error
