"""What a finished run left in its artifacts, as a report needs it. Libraries are loaded when an artifact needs them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from interest_migration.evaluation.measures import Measures
from interest_migration.evaluation.results import EvaluationReport
from interest_migration.flows.results import Flows
from interest_migration.flows.settings import FlowSettings
from interest_migration.gates.decision import Decision
from interest_migration.report.inputs import RunReport, SliceMetrics
from interest_migration.report.record import RunRecord
from interest_migration.serving.reviews import Review, read_reviews
from interest_migration.serving.versions import digest_files

Value = TypeVar("Value")


def read_report(record: RunRecord, served: Path) -> RunReport:
    """Reads the artifacts that a record names; what cannot be read is told of in the report.

    Args:
      record: How the run went; its `artifacts` are `Step.output` -> folder.
      served: Folder of the served versions, which keeps the reviews.
    """
    artifacts = _Artifacts(record)
    decision = artifacts.read("DataGate.decision", _read_decision)
    return RunReport(
        record=record,
        data_decision=record.data_decision or decision,
        model_decision=artifacts.read("ModelGate.decision", _read_decision),
        serving_decision=artifacts.read("ServingGate.decision", _read_decision),
        reviews=artifacts.read("Trainer.model", lambda folder: _read_reviews(folder, served)) or (),
        evaluation=artifacts.read("Comparison.comparison", _read_evaluation),
        measures=artifacts.read("ModelGate.decision", Measures.read)
        or artifacts.read("Comparison.comparison", Measures.read),
        slices=artifacts.read("Evaluator.evaluation", _read_slices) or {},
        categories=artifacts.read("Transform.transform_graph", _read_categories) or (),
        summary=artifacts.read("BehaviorExampleGen.summary", _read_summary),
        training=artifacts.read("Trainer.model_run", _read_training),
        flows=artifacts.read("Flows.flows", _read_flows),
        minimum_users=_minimum_users(record),
        problems=artifacts.problems,
    )


class _Artifacts:
    """Reads artifacts that may be missing, and keeps account of those that are broken."""

    def __init__(self, record: RunRecord) -> None:
        self._record, self.problems = record, list[str]()

    def read(self, name: str, reader: Callable[[Path], Value]) -> Value | None:
        folder = self._record.artifacts.get(name)
        if folder is None:
            return None
        try:
            return reader(Path(folder))
        except Exception as error:
            self.problems.append(f"{name} in {folder}: {type(error).__name__}: {error}")
            return None


def _read_decision(folder: Path) -> Decision:
    from components.decisions import read_decision

    return read_decision(folder)


def _read_reviews(folder: Path, served: Path) -> list[Review]:
    digest = digest_files(folder / "Format-Serving")
    return [review for review in read_reviews(served) if review.digest == digest]


def _read_evaluation(folder: Path) -> EvaluationReport:
    from components.comparison import COMPARISON_FILE

    return EvaluationReport.from_json((folder / COMPARISON_FILE).read_text(encoding="utf-8"))


def _read_slices(folder: Path) -> SliceMetrics:
    from components.evaluation_results import read_metrics

    return read_metrics(str(folder))


def _read_categories(folder: Path) -> list[str]:
    from components.flows import read_categories

    return read_categories(str(folder))


def _read_summary(folder: Path) -> Mapping[str, Any]:
    from components.ingestion import SUMMARY_FILE

    return _read_json(folder / SUMMARY_FILE)


def _read_training(folder: Path) -> Mapping[str, Any]:
    return _read_json(folder / "training.json")


def _read_flows(folder: Path) -> Flows:
    from components.flows import FLOWS_FILE

    return Flows.from_json((folder / FLOWS_FILE).read_text(encoding="utf-8"))


def _read_json(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


def _minimum_users(record: RunRecord) -> int:
    values = record.settings.get("config", {}).get("flows", {})
    return FlowSettings.from_values(values, source=f"run {record.run}").minimum_users
