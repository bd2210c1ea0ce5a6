"""Prometheus metrics of one server."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_ROWS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """Counts requests, calls of models and batches."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("model", "version", "signature", "protocol")
        self._requests = Counter(
            "interest_migration_requests", "Requests answered.", (*labels, "code"), registry=self._registry
        )
        self._seconds = Histogram(
            "interest_migration_request_seconds",
            "Time from request to answer.",
            labels,
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._calls = Histogram(
            "interest_migration_model_call_seconds",
            "Time of one call of a model.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._rows = Histogram(
            "interest_migration_batch_rows", "Rows of one call of a model.", buckets=_ROWS, registry=self._registry
        )
        self.in_flight = Gauge("interest_migration_in_flight", "Requests being answered.", registry=self._registry)

    def request(self, labels: tuple[str, str, str, str], code: str, seconds: float) -> None:
        """Counts a request; labels are model, version (empty: none was found), signature and protocol."""
        self._requests.labels(*labels, code).inc()
        self._seconds.labels(*labels).observe(seconds)

    def call(self, rows: int, seconds: float) -> None:
        """Counts a call of a model."""
        self._rows.observe(rows)
        self._calls.observe(seconds)

    def text(self) -> bytes:
        """Returns all metrics in Prometheus's text format."""
        return generate_latest(self._registry)
