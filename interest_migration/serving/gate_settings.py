"""What a model must do before it may be served: the section `serving_gate` of a configuration."""

from pydantic import Field

from interest_migration.settings import Settings


class ServingGateSettings(Settings):
    """Bounds of the serving gate.

    Latency is CPU time of one thread: another job on the machine of the pipeline must not refuse a model. The wall time
    is told beside it.

    Attributes:
      enabled: Whether the gate stands before the Pusher.
      examples: Examples of the test split that are replayed.
      tolerance: Largest difference of a probability or score between two ways to the same answer.
      name_tolerance: Largest share of ranked names that may differ: equal scores may change places.
      calls: Calls of one user each behind the latency.
      p50_ms: Bound on the median of `serving_default` and of `predict`.
      p99_ms: Bound on the 99th percentile.
      memory_megabytes: Bound on the peak memory of the process that loads the model and answers.
      timeout_seconds: The model is refused if it has not answered everything by then.
    """

    enabled: bool = True
    examples: int = Field(256, ge=1)
    tolerance: float = Field(1e-5, gt=0)
    name_tolerance: float = Field(0.01, ge=0, lt=1)
    calls: int = Field(100, ge=10)
    p50_ms: float = Field(50, gt=0)
    p99_ms: float = Field(250, gt=0)
    memory_megabytes: float = Field(4096, gt=0)
    timeout_seconds: float = Field(1800, gt=0)
