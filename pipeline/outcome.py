"""What a run ended with."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from interest_migration.evaluation.results import EvaluationReport
from interest_migration.evaluation.summary import summarise
from interest_migration.gates.decision import Decision
from interest_migration.ingestion.summary import IngestSummary
from pipeline.workspace import REPORT_FILE


@dataclass(frozen=True)
class Pushed:
    """The version that is served now.

    Attributes:
      version: Its number.
      path: Its folder.
      is_new: False if the newest version already had the same content.
    """

    version: int
    path: Path
    is_new: bool


@dataclass(frozen=True)
class Outcome:
    """Result of a run.

    Attributes:
      run_id: Name of the run.
      log: Its log.
      decision: Of the model gate.
      review: What a person decided about the model; empty if nobody did.
      report: The model beside the baselines.
      pushed: What was pushed; None if the gate or a person said no.
      steps: Name -> (seconds, whether reused).
      artifacts: Name -> folder: model, examples, rejects, evaluation, comparison.
      ingestion: Rows read, used and set aside.
      serving: Of the serving gate; None where it is off.
    """

    run_id: str
    log: Path
    decision: Decision
    review: str
    report: EvaluationReport
    pushed: Pushed | None
    steps: dict[str, tuple[float, bool]]
    artifacts: dict[str, str]
    ingestion: IngestSummary
    serving: Decision | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns plain values; undefined numbers are None."""
        pushed = self.pushed and {
            "version": self.pushed.version,
            "path": str(self.pushed.path),
            "is_new": self.pushed.is_new,
        }
        return {
            "run": self.run_id,
            "log": str(self.log),
            "report": str(self.log.with_name(REPORT_FILE)),
            "decision": self.decision.to_json(),
            "serving_decision": self.serving and self.serving.to_json(),
            "review": self.review or None,
            "pushed": pushed,
            "summary": summary_rows(self.report),
            "steps": {name: {"seconds": round(seconds, 1), "cached": c} for name, (seconds, c) in self.steps.items()},
            "artifacts": self.artifacts,
            "ingestion": asdict(self.ingestion),
        }


def summary_rows(report: EvaluationReport) -> list[dict[str, Any]]:
    """Returns the headline rows as plain values."""
    rows = []
    for row in summarise(report):
        best = row.baselines[0] if row.baselines else None
        rows.append(
            {
                "task": row.task,
                "subset": row.subset,
                "metric": row.metric,
                "model": row.model and _number(row.model.value),
                "best_baseline": best and best.method,
                "baseline": best and _number(best.value),
                "difference": row.comparison and _number(row.comparison.difference),
                "low": row.comparison and _number(row.comparison.low),
                "high": row.comparison and _number(row.comparison.high),
                "note": row.model.note if row.model else "not measured",
            }
        )
    return rows


def _number(value: float) -> float | None:
    return None if value != value else value
