"""Compiles the pipeline for Kubeflow: pipeline spec 2.1 and the platform document of Kubernetes."""

import copy
from typing import Final

from tfx.orchestration.kubeflow.decorators import FinalStatusStr
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as tfx_runner
from tfx.orchestration.pipeline import Pipeline

from components.run_verdict import TellVerdict
from interest_migration.errors import ConfigError
from pipeline.config import PipelineConfig
from pipeline.graph import create_pipeline
from pipeline.kubeflow.closing_steps import RUN, closing_steps, with_steps
from pipeline.kubeflow.compiled import Compiled
from pipeline.kubeflow.lifting import lift_parameters
from pipeline.kubeflow.mounts import check_mounts, runs_folder
from pipeline.kubeflow.platform import make_platform
from pipeline.kubeflow.repairs import Spec, repair
from pipeline.kubeflow.resources import give_resources, named_tasks
from pipeline.kubeflow.settings import KubeflowSettings
from pipeline.kubeflow.variables import RUNS
from pipeline.resolved import Resolved
from pipeline.run import Plan

COMMAND: Final = ("python", "-m", "pipeline.kubeflow.entrypoint")
_SEES_SERVED: Final = ("ServedModel", "BaseModel")


def compile_pipeline(plan: Plan, resolved: Resolved) -> Compiled:
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
    whole = with_steps(pipeline, closing_steps(plan, settings, resolved, pipeline))
    spec = _compile(whole, settings, config)
    repair(spec)
    _never_stale(spec)
    parameters = lift_parameters(spec)
    stale = _stale_if_cached(resolved)
    give_resources(spec, settings, {RUNS: str(runs_folder(config))}, frozenset(stale))
    check_mounts(plan, settings, [name for name, _ in named_tasks(spec)])
    return Compiled(spec, make_platform(spec, settings), parameters, tuple(stale.values()))


def _compile(pipeline: Pipeline, settings: KubeflowSettings, config: PipelineConfig) -> Spec:
    runner = tfx_runner.KubeflowV2DagRunner(
        tfx_runner.KubeflowV2DagRunnerConfig(
            default_image=settings.image, default_commands=list(COMMAND), use_pipeline_spec_2_1=True
        )
    )
    runner.set_exit_handler(TellVerdict(run=RUN, runs=str(runs_folder(config)), status=FinalStatusStr()))
    spec: Spec = copy.deepcopy(runner.run(pipeline, write_out=False)["pipelineSpec"])
    if settings.pipeline_root:
        spec["defaultPipelineRoot"] = settings.pipeline_root
    return spec


def _never_stale(spec: Spec) -> None:
    """Steps that look at what is served get the run's name, so that no cache of any backend answers for them."""
    for name, task in named_tasks(spec):
        if name in _SEES_SERVED:
            task["inputs"]["parameters"]["run_token"] = {"runtimeValue": {"constant": RUN}}


def _stale_if_cached(resolved: Resolved) -> dict[str, str]:
    """Returns steps whose parameters do not tell what they read, and what is said of that."""
    unknown = [what for what, known in (("data", resolved.fingerprint), ("key", resolved.key_id)) if not known]
    if not unknown:
        return {}
    names = " and the ".join(unknown)
    return {"BehaviorExampleGen": f"BehaviorExampleGen is never cached, since the {names} could not be looked up here"}
