"""How a new version is tried beside the served one, and what it may cost."""

from pydantic import Field

from interest_migration.settings import Settings


class RolloutSettings(Settings):
    """Defaults of `interest-migration models`; see docs/rollout.md.

    Attributes:
      wait_seconds: Longest time that servers take to notice a changed `models.config` and to load a version; more than
        `--model_config_file_poll_wait_seconds`.
      share: Share of the requests of a comparison that go to the canary too.
      requests: Requests of a comparison.
      max_error_rate: Largest share of the canary's requests that may fail.
      max_latency_ratio: Largest 95th percentile of the canary's latency over that of the stable version.
      max_latency_ms: Largest 95th percentile of the canary's latency, milliseconds; by default none is set.
      min_agreement: Smallest share of requests for which both rank the same category first; by default none is set.
      min_requests: Requests to the canary before a budget of latency or agreement is judged.
    """

    wait_seconds: float = Field(40.0, ge=0)
    share: float = Field(0.1, gt=0, le=1)
    requests: int = Field(1000, ge=1)
    max_error_rate: float = Field(0.01, ge=0, le=1)
    max_latency_ratio: float | None = Field(2.0, gt=0)
    max_latency_ms: float | None = Field(None, gt=0)
    min_agreement: float | None = Field(None, ge=0, le=1)
    min_requests: int = Field(50, ge=1)
