"""The steps that a run on Kubeflow has besides those of the graph: its report and its verdict, at the end."""

import json
from collections.abc import Mapping
from typing import Any, Final

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.orchestration.pipeline import Pipeline

from components.run_report import RunReport
from components.run_verdict import Verdict
from pipeline.kubeflow.mounts import runs_folder
from pipeline.kubeflow.settings import KubeflowSettings
from pipeline.resolved import Resolved
from pipeline.run import Plan

RUN: Final = "{{$.pipeline_job_uuid}}"
"""What the backend replaces by the run's id."""

_STARTED: Final = "{{$.pipeline_job_create_time_utc}}"


def with_steps(pipeline: Pipeline, nodes: list[BaseComponent]) -> Pipeline:
    """Returns a finished pipeline with more steps.

    Its Beam steps have had Beam's arguments since it was made; given those again, all steps would get them, and the
    Beam steps twice.
    """
    registry = pipeline.dsl_context_registry
    with registry.temporary_mutable():
        for node in nodes:
            registry.put_node(node)
    return Pipeline(
        pipeline_name=pipeline.pipeline_info.pipeline_name,
        pipeline_root=pipeline.pipeline_info.pipeline_root,
        components=[*pipeline.components, *nodes],
        enable_cache=pipeline.enable_cache,
        dsl_context_registry=registry,
    )


def closing_steps(
    plan: Plan, settings: KubeflowSettings, resolved: Resolved, pipeline: Pipeline
) -> list[BaseComponent]:
    """Makes them.

    Args:
      plan: The configuration.
      settings: Its section `kubeflow`.
      resolved: What was looked up.
      pipeline: The graph, whose outputs they take.
    """
    nodes = {node.id: node.outputs for node in pipeline.components}
    decision, pushed = nodes["ModelGate"]["decision"], nodes["Pusher"]["pushed_model"]
    report = RunReport(
        pipeline=plan.config.name,
        run=RUN,
        started=_STARTED,
        served=str(plan.config.served_directory),
        settings=json.dumps(_settings(plan)),
        summary=nodes["BehaviorExampleGen"]["summary"],
        transform_graph=nodes["Transform"]["transform_graph"],
        model=nodes["Trainer"]["model"],
        model_run=nodes["Trainer"]["model_run"],
        flows=nodes["Flows"]["flows"],
        evaluation=nodes["Evaluator"]["evaluation"],
        comparison=nodes["Comparison"]["comparison"],
        decision=decision,
        pushed_model=pushed,
        **_decision(nodes, "DataGate", "data_decision"),
        **_decision(nodes, "ServingGate", "serving_decision"),
    )
    verdict = Verdict(
        run=RUN,
        runs=str(runs_folder(plan.config)),
        fail_when_refused=int(settings.fail_when_refused),
        data_record=resolved.data_record,
        statistics=nodes["StatisticsGen"]["statistics"],
        summary=nodes["BehaviorExampleGen"]["summary"],
        decision=decision,
        pushed_model=pushed,
        report=report.outputs["report"],
        **_decision(nodes, "ServingGate", "serving_decision"),
    )
    return [report, verdict]


def _settings(plan: Plan) -> dict[str, Any]:
    """What the report shows of them, without what differs with the machine and the folder that submit."""
    described = plan.describe()
    config = plan.config.model_dump(
        mode="json",
        exclude={"submit": True, "gates": True, "data_gates": True, "data": {"mapping"}, "search": {"best"}},
    )
    return {"config": config, **{name: described[name] for name in ("mapping", "gates", "data_gates")}}


def _decision(nodes: Mapping[str, Any], gate: str, key: str) -> dict[str, Any]:
    """A gate that the pipeline may have or not."""
    return {key: nodes[gate]["decision"]} if gate in nodes else {}
