"""Everything a report is made of. All but the record may be missing: a run may have ended before it was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from interest_migration.evaluation.measures import Measures
from interest_migration.evaluation.results import EvaluationReport
from interest_migration.flows.results import Flows
from interest_migration.gates.decision import Decision
from interest_migration.report.record import RunRecord
from interest_migration.serving.reviews import Review

SliceMetrics = Mapping[tuple[tuple[str, str], ...], Mapping[str, Mapping[str, float]]]
"""Slice (column and value; empty for all examples) -> task -> metric -> value."""


@dataclass(frozen=True)
class RunReport:
    """What is known of a run.

    Attributes:
      record: How it went.
      data_decision: Of the data gate.
      model_decision: Of the model gate.
      serving_decision: Of the serving gate.
      reviews: What people decided about the model, oldest first.
      evaluation: The model beside the baselines.
      measures: Every method on every test example.
      slices: The model's metrics by slice.
      categories: Names of category ids 1, 2, ...
      summary: Counts of the ingestion (`interest_migration.ingestion.summary.IngestSummary` as plain values).
      training: The Trainer's record, as plain values.
      flows: Where interests move.
      minimum_users: Slices with fewer different users are not shown.
      problems: What could not be read, in words.
    """

    record: RunRecord
    data_decision: Decision | None = None
    model_decision: Decision | None = None
    serving_decision: Decision | None = None
    reviews: Sequence[Review] = ()
    evaluation: EvaluationReport | None = None
    measures: Measures | None = None
    slices: SliceMetrics = field(default_factory=dict)
    categories: Sequence[str] = ()
    summary: Mapping[str, Any] | None = None
    training: Mapping[str, Any] | None = None
    flows: Flows | None = None
    minimum_users: int = 5
    problems: Sequence[str] = ()
