"""Compiles the pipeline for Kubeflow: pipeline spec 2.1 and the platform document of Kubernetes."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml
from tfx.orchestration.kubeflow.decorators import FinalStatusStr
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as tfx_runner
from tfx.orchestration.pipeline import Pipeline

from components.run_report import RunReport
from components.run_verdict import TellVerdict, Verdict
from interest_migration.errors import ConfigError
from pipeline.config import PipelineConfig
from pipeline.graph import Resolved, create_pipeline
from pipeline.kubeflow.lifting import lift_parameters
from pipeline.kubeflow.mounts import check_mounts, runs_folder
from pipeline.kubeflow.parameters import Value
from pipeline.kubeflow.platform import make_platform
from pipeline.kubeflow.repairs import Spec, repair
from pipeline.kubeflow.resources import give_resources, named_tasks
from pipeline.kubeflow.settings import KubeflowSettings
from pipeline.kubeflow.variables import RUNS

if TYPE_CHECKING:
    from tfx.dsl.components.base.base_component import BaseComponent

    from pipeline.run import Plan

COMMAND: Final = ("python", "-m", "pipeline.kubeflow.entrypoint")
_RUN: Final = "{{$.pipeline_job_uuid}}"
_STARTED: Final = "{{$.pipeline_job_create_time_utc}}"
_SEES_SERVED: Final = ("ServedModel", "BaseModel")


@dataclass(frozen=True)
class Compiled:
    """A compiled pipeline.

    Attributes:
      pipeline_spec: `PipelineSpec` as plain values.
      platform_spec: `PlatformSpec` as plain values.
      parameters: Runtime parameter -> default.
      notes: What a person should know, one sentence each.
    """

    pipeline_spec: Spec
    platform_spec: Spec
    parameters: dict[str, Value]
    notes: tuple[str, ...] = ()

    def to_yaml(self) -> str:
        """Returns both documents, as the client and the UI of Kubeflow take them."""
        return yaml.safe_dump_all([self.pipeline_spec, self.platform_spec], sort_keys=True, allow_unicode=True)

    def describe(self) -> dict[str, Any]:
        """Returns what was compiled, as plain values."""
        steps = {name: bool(task["cachingOptions"]) for name, task in named_tasks(self.pipeline_spec)}
        return {
            "pipeline": self.pipeline_spec["pipelineInfo"]["name"],
            "parameters": self.parameters,
            "steps": {name: {"cached": cached} for name, cached in steps.items()},
            "notes": list(self.notes),
        }


def compile_pipeline(plan: "Plan", resolved: Resolved) -> Compiled:
    """Compiles the pipeline that local runs use too, with a report and a verdict at its end.

    Args:
      plan: The configuration, with a section `kubeflow`.
      resolved: What was looked up, see `pipeline.kubeflow.lookup`; defaults of the parameters.

    Raises:
      ConfigError: If there is no such section, or it does not fit the pipeline.
    """
    config, settings = plan.config, plan.config.kubeflow
    if settings is None:
        raise ConfigError("kubeflow: expected a section with an image, received none; see configs/kubeflow.yaml")
    pipeline = create_pipeline(
        config, plan.mapping, plan.gates, resolved, settings.pipeline_root, data_gates=plan.data_gates
    )
    _append(pipeline, _ending(plan, settings, resolved, pipeline))
    spec = _compile(pipeline, settings, config)
    repair(spec)
    _never_stale(spec)
    parameters = lift_parameters(spec)
    stale = _stale_if_cached(resolved)
    give_resources(spec, settings, {RUNS: str(runs_folder(config))}, frozenset(stale))
    check_mounts(config, settings, [name for name, _ in named_tasks(spec)])
    return Compiled(spec, make_platform(spec, settings), parameters, tuple(stale.values()))


def _compile(pipeline: Pipeline, settings: KubeflowSettings, config: PipelineConfig) -> Spec:
    runner = tfx_runner.KubeflowV2DagRunner(
        tfx_runner.KubeflowV2DagRunnerConfig(
            default_image=settings.image, default_commands=list(COMMAND), use_pipeline_spec_2_1=True
        )
    )
    runner.set_exit_handler(TellVerdict(run=_RUN, runs=str(runs_folder(config)), status=FinalStatusStr()))
    spec: Spec = copy.deepcopy(runner.run(pipeline, write_out=False)["pipelineSpec"])
    if settings.pipeline_root:
        spec["defaultPipelineRoot"] = settings.pipeline_root
    return spec


def _append(pipeline: Pipeline, nodes: list["BaseComponent"]) -> None:
    """Adds steps to a finished pipeline; its registry takes them only while it is told to."""
    with pipeline.dsl_context_registry.temporary_mutable():
        for node in nodes:
            pipeline.dsl_context_registry.put_node(node)
    pipeline.components = [*pipeline.components, *nodes]


def _ending(plan: "Plan", settings: KubeflowSettings, resolved: Resolved, pipeline: Pipeline) -> list["BaseComponent"]:
    nodes = {node.id: node.outputs for node in pipeline.components}
    decision, pushed = nodes["ModelGate"]["decision"], nodes["Pusher"]["pushed_model"]
    described = plan.describe()
    report = RunReport(
        pipeline=plan.config.name,
        run=_RUN,
        started=_STARTED,
        served=str(plan.config.served_directory),
        settings=json.dumps({name: described[name] for name in ("config", "mapping", "gates", "data_gates")}),
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
        run=_RUN,
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


def _decision(nodes: Mapping[str, Any], gate: str, key: str) -> dict[str, Any]:
    """A gate that the pipeline may have or not."""
    return {key: nodes[gate]["decision"]} if gate in nodes else {}


def _never_stale(spec: Spec) -> None:
    """Steps that look at what is served get the run's name, so that no cache of any backend answers for them."""
    for name, task in named_tasks(spec):
        if name in _SEES_SERVED:
            task["inputs"]["parameters"]["run_token"] = {"runtimeValue": {"constant": _RUN}}


def _stale_if_cached(resolved: Resolved) -> dict[str, str]:
    """Returns steps whose parameters do not tell what they read, and what is said of that."""
    unknown = [what for what, known in (("data", resolved.fingerprint), ("key", resolved.key_id)) if not known]
    if not unknown:
        return {}
    names = " and the ".join(unknown)
    return {"BehaviorExampleGen": f"BehaviorExampleGen is never cached, since the {names} could not be looked up here"}
