"""The comparison of a canary with the stable version, on a running server, and what follows from it."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from interest_migration.errors import DataError, InterestMigrationError
from interest_migration.serving.canary import Ask, Check, Trial
from interest_migration.serving.model_config import CANARY, STABLE, read_rollout
from interest_migration.serving.rollout_settings import RolloutSettings
from interest_migration.serving.rollouts import Author
from interest_migration.serving.traffic import Request
from pipeline.served_models import Place

if TYPE_CHECKING:
    from interest_migration.client import Client

COMPARER: Final = "models compare"
"""Who takes a canary off, in the audit log."""
_POLL_SECONDS: Final = 0.2


@dataclass(frozen=True)
class CanaryReport:
    """What a comparison found.

    Attributes:
      model: Which model.
      versions: Label -> version.
      trial: What both did.
      checks: Budgets.
      rolled_back: Whether the canary was taken off.
    """

    model: str
    versions: Mapping[str, int]
    trial: Trial
    checks: tuple[Check, ...]
    rolled_back: bool

    @property
    def passed(self) -> bool:
        """Whether no budget is broken."""
        return not any(check.is_broken for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return {
            "model": self.model,
            "versions": dict(self.versions),
            STABLE: self.trial.stable.to_json(),
            CANARY: self.trial.canary.to_json(),
            "agreement": self.trial.agreement.measures(),
            "checks": [asdict(check) for check in self.checks],
            "passed": self.passed,
            "rolled_back": self.rolled_back,
        }


def compare_canary(
    place: Place,
    address: str,
    requests: list[Request],
    settings: RolloutSettings,
    *,
    concurrency: int,
    duration_s: float | None,
    timeout_s: float,
    may_roll_back: bool,
) -> CanaryReport:
    """Sends requests to both versions, and takes the canary off if it breaks a budget.

    Args:
      place: The model in its push directory.
      address: The server, see `interest_migration.client.Client`.
      requests: What is sent.
      settings: Share, number and budgets.
      concurrency: Requests under way at the same time.
      duration_s: Seconds, in place of the number of requests.
      timeout_s: Of one request; none is sent twice.
      may_roll_back: Whether the canary may be taken off.

    Raises:
      DataError: If the model has no canary.
      InterestMigrationError: If the stable version itself fails.
    """
    labels = read_rollout(place.directory).labels
    if STABLE not in labels or CANARY not in labels:
        raise DataError(
            f"expected the labels {STABLE} and {CANARY} on versions of {place.directory.name}, found "
            f"{', '.join(sorted(labels)) or 'none'}; give them: models pin, models label {CANARY} VERSION"
        )
    model = place.directory.name
    with _client(address, model, STABLE, timeout_s) as stable, _client(address, model, CANARY, timeout_s) as canary:
        _warm_up(_asking(stable), _asking(canary), requests[0], settings.wait_seconds)
        trial = Trial(_asking(stable), _asking(canary), settings)
        trial.run(requests, concurrency, duration_s)
    checks = tuple(trial.checks())
    versions = {name: labels[name] for name in (STABLE, CANARY)}
    broken = [check for check in checks if check.is_broken]
    rolled_back = bool(broken) and may_roll_back and _take_off(place, versions[CANARY], broken)
    return CanaryReport(model, versions, trial, checks, rolled_back)


def _warm_up(stable: Ask, canary: Ask, request: Request, longest_s: float) -> None:
    """Asks both until they answer: a server may not have read the labels yet, and first answers are slow.

    A canary that does not answer in time is tried all the same: its errors count.
    """
    end = time.monotonic() + longest_s
    for ask in (stable, canary):
        while True:
            try:
                ask(request)
                break
            except InterestMigrationError:
                if time.monotonic() >= end:
                    break
                time.sleep(_POLL_SECONDS)


def _client(address: str, model: str, label: str, timeout_s: float) -> "Client":
    from interest_migration.client import Client, RetryPolicy

    return Client(address, model, label=label, timeout_s=timeout_s, retries=RetryPolicy(attempts=1))


def _asking(client: "Client") -> Ask:
    def ask(request: Request) -> tuple[int | None, Mapping[str, Any]]:
        outputs = client.call(request.signature, request.inputs)
        return outputs.version, outputs.arrays

    return ask


def _take_off(place: Place, version: int, broken: list[Check]) -> bool:
    """Takes the canary off unless another version has become the canary meanwhile."""
    if read_rollout(place.directory).labels.get(CANARY) != version:
        return False
    told = "; ".join(f"{check.name} {check.value:.4g}, allowed {check.bound:g}" for check in broken)
    author = Author(COMPARER, f"version {version} broke its budget: {told}")
    place.change("unlabel", (CANARY,), author, lambda _: None, rehearse=False)
    return True
