"""Waiting for a model server to load versions."""

import time
from collections.abc import Collection
from typing import Final

from interest_migration.errors import InterestMigrationError
from interest_migration.serving.rollouts import Wait

_POLL_SECONDS: Final = 0.2


def waiting_for(model: str, address: str, timeout_s: float) -> Wait:
    """Returns a wait until a server has loaded versions.

    Args:
      model: Name of the model.
      address: The server, see `interest_migration.client.Client`.
      timeout_s: Longest wait; then the wait raises InterestMigrationError.
    """

    def wait(versions: Collection[int]) -> None:
        from interest_migration.client import Client, ClientError

        end, seen = time.monotonic() + timeout_s, "no answer"
        with Client(address, model) as client:
            while True:
                try:
                    states = {status.version: status.state for status in client.status()}
                    if all(states.get(version) == "AVAILABLE" for version in versions):
                        return
                    seen = ", ".join(f"{number} {states[number]}" for number in sorted(states))
                except ClientError as error:
                    seen = str(error)
                if time.monotonic() >= end:
                    raise InterestMigrationError(
                        f"expected {address} to load version {', '.join(map(str, versions))} of {model} within "
                        f"{timeout_s:g} s, received: {seen}. It is told to load it; no label has moved"
                    )
                time.sleep(_POLL_SECONDS)

    return wait
