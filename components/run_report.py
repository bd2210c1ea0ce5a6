"""RunReport: the page of a run and what the UI of an orchestrator draws by itself, from the run's artifacts.

Local runs have `pipeline.reports` instead, which reads the same artifacts.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from absl import logging
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from components import artifacts
from components.report_artifacts import read_report
from components.run_verdict import read_outcome
from interest_migration.report.confusion import count_confusion
from interest_migration.report.inputs import RunReport as Report
from interest_migration.report.record import Pushed, RunRecord, State
from interest_migration.report.render import render
from interest_migration.report.ui_metrics import list_roc, list_scalars, to_matrix
from schemas.signatures import CHURN_TASKS


@component
def RunReport(  # noqa: N802 - a component reads like a class
    pipeline: Parameter[str],
    run: Parameter[str],
    started: Parameter[str],
    served: Parameter[str],
    settings: Parameter[str],
    summary: InputArtifact[artifacts.Summary],
    transform_graph: InputArtifact[standard_artifacts.TransformGraph],
    model: InputArtifact[standard_artifacts.Model],
    model_run: InputArtifact[standard_artifacts.ModelRun],
    flows: InputArtifact[artifacts.Flows],
    evaluation: InputArtifact[standard_artifacts.ModelEvaluation],
    comparison: InputArtifact[artifacts.Comparison],
    decision: InputArtifact[artifacts.Decision],
    pushed_model: InputArtifact[standard_artifacts.PushedModel],
    report: OutputArtifact[artifacts.Page],
    scalars: OutputArtifact[artifacts.Scalars],
    churn_short: OutputArtifact[artifacts.Classification],
    churn_long: OutputArtifact[artifacts.Classification],
    categories: OutputArtifact[artifacts.Classification],
    data_decision: InputArtifact[artifacts.Decision] = None,
    serving_decision: InputArtifact[artifacts.Decision] = None,
) -> None:
    """Writes the report.

    Args:
      pipeline: Name of the pipeline.
      run: Name of the run.
      started: When it began, ISO 8601 UTC.
      served: Folder of the served versions, which keeps the reviews.
      settings: What the run uses, as JSON: `config`, `mapping`, `gates`.
      summary: Counts of the ingestion.
      transform_graph: Names the categories.
      model: Whose reviews are told.
      model_run: How training went.
      flows: Where interests move.
      evaluation: Metrics by slice.
      comparison: Model beside baselines.
      decision: Of the model gate, with the measures that it judged.
      pushed_model: What the Pusher did.
      report: The page.
      scalars: Headline metrics as custom properties.
      churn_short: ROC curve of churn within the short horizon.
      churn_long: The same of the long one.
      categories: Confusion of the next category.
      data_decision: Of the data gate, if there is one.
      serving_decision: Of the serving gate, if there is one.
    """
    folders = {
        "BehaviorExampleGen.summary": summary,
        "Transform.transform_graph": transform_graph,
        "Trainer.model": model,
        "Trainer.model_run": model_run,
        "Flows.flows": flows,
        "Evaluator.evaluation": evaluation,
        "Comparison.comparison": comparison,
        "ModelGate.decision": decision,
        "DataGate.decision": data_decision,
        "ServingGate.decision": serving_decision,
    }
    record = RunRecord(
        run=run,
        pipeline=pipeline,
        started=started,
        command="Kubeflow Pipelines",
        ended=datetime.now(UTC).isoformat(timespec="milliseconds"),
        artifacts={name: str(artifact.uri) for name, artifact in folders.items() if artifact},
        settings=json.loads(settings),
        **_ending(read_outcome([decision, serving_decision], pushed_model)),
    )
    found = read_report(record, Path(served))
    report.value = _draw(found)
    _fill(found, scalars, {"churn_short": churn_short, "churn_long": churn_long}, categories)


def _ending(outcome: Mapping[str, Any]) -> dict[str, Any]:
    pushed = outcome["version"] and Pushed(outcome["version"], outcome["path"], outcome["is_new"])
    return {"state": State(outcome["state"]), "pushed": pushed or None}


def _draw(found: Report) -> str:
    """A report that cannot be drawn says so; it changes nothing about the run."""
    try:
        return render(found)
    except Exception as error:
        logging.exception("the report could not be drawn")
        return f"<p>The report could not be drawn: {type(error).__name__}. The log of this step tells more.</p>"


def _fill(found: Report, scalars: Any, churn: Mapping[str, Any], categories: Any) -> None:
    for name, value in (list_scalars(found.evaluation) if found.evaluation else {}).items():
        scalars.set_float_custom_property(name, value)
    if found.measures is None:
        return
    for task in CHURN_TASKS:
        points = list_roc(found.measures, task)
        if points:
            churn[task].set_json_value_custom_property("confidenceMetrics", points)
    confusion = count_confusion(found.measures, found.categories, found.minimum_users)
    if confusion:
        categories.set_json_value_custom_property("confusionMatrix", to_matrix(confusion))
