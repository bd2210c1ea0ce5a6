"""Checks that what steps read and write outside of the artifacts lies on volumes that are mounted there.

A pod starts with an empty disk, so a path of the configuration means something only below a mount.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from interest_migration.errors import ConfigError
from interest_migration.privacy.keys import KEY_VARIABLE
from interest_migration.sources.paths import PACKAGE_PREFIX
from pipeline.config import PipelineConfig
from pipeline.kubeflow.local_copies import LocalCopies
from pipeline.kubeflow.settings import KubeflowSettings
from pipeline.run import Plan

_INGESTION: Final = "BehaviorExampleGen"
_DEFAULT_ROOT: Final = "minio://mlpipeline/v2/artifacts"
"""Where the backend puts artifacts by itself."""

_BEAM: Final = (_INGESTION, "StatisticsGen", "Transform", "Evaluator")


def runs_folder(config: PipelineConfig) -> Path:
    """Returns the folder that keeps what became of runs on Kubeflow."""
    return config.workspace / "runs"


def check_mounts(plan: Plan, settings: KubeflowSettings, steps: Sequence[str]) -> None:
    """Checks every path that a step uses.

    Args:
      plan: Names the paths.
      settings: Names the mounts.
      steps: The pipeline's steps.

    Raises:
      ConfigError: For a path that is on no mount of its step, and for a claim or a folder that a step mounts twice.
    """
    for step in steps:
        _check_alone(settings, step)
    for field, path, users in (*_paths(plan.config, settings), *_paths_of_machine(plan)):
        for step in users:
            mounts = [mount.path for mount in settings.step(step).mounts]
            if step in steps and not any(PurePosixPath(path).is_relative_to(mount) for mount in mounts):
                raise ConfigError(
                    f"{field}: expected a folder on a volume that {step} mounts ({', '.join(mounts) or 'none'}), "
                    f"received {path}; add it to kubeflow.defaults.mounts or kubeflow.steps.{step}.mounts"
                )


def _paths(config: PipelineConfig, settings: KubeflowSettings) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yields field, path and the steps that use it."""
    if config.beam and config.beam.works_elsewhere:
        copies = LocalCopies().to_local(settings.pipeline_root or _DEFAULT_ROOT)
        yield "beam, whose workers are elsewhere and must see artifacts", copies, _BEAM
    yield "workspace", str(runs_folder(config)), ("DataGate", "Verdict", "TellVerdict")
    pushers = ("Pusher", "ServedModel", "ModelGate", "BaseModel", "RunReport")
    yield "push.directory", str(config.served_directory), pushers
    if not str(config.data.input).startswith(PACKAGE_PREFIX):
        yield "data.input", str(config.data.input), (_INGESTION,)
    if not any(KEY_VARIABLE in secret.variables for secret in settings.step(_INGESTION).secrets):
        yield "data.key_file", str(config.key_file), (_INGESTION,)
    if config.data.erasure_list:
        yield "data.erasure_list", str(config.data.erasure_list), (_INGESTION,)
    if config.language:
        yield "workspace", str(config.vector_cache), ("Transform",)
    if config.search.searches:
        yield "search.directory", str(config.search_directory), ("Tuner",)
    if config.training.checkpoint_directory:
        yield "training.checkpoint_directory", config.training.checkpoint_directory, ("Trainer",)


def _paths_of_machine(plan: Plan) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yields folders and files that steps read, and that may be there only where the pipeline is compiled."""
    config, rules = plan.config, plan.data_gates
    if rules and rules.serving:
        yield "data_gates: serving.logs", rules.serving.logs, ("DataGate",)
    if config.language and _is_folder(config.language.checkpoint):
        yield "language.checkpoint", config.language.checkpoint, ("Transform",)
    for name in ("setup_file", "job_server_jar"):
        path = str(getattr(config.beam, name, None) or "")
        if path and "://" not in path:
            yield f"beam.{name}", path, _BEAM


def _is_folder(name: str) -> bool:
    """Whether it is neither in a package of the image nor the id of a model on a hub."""
    return not name.startswith(PACKAGE_PREFIX) and Path(name).expanduser().is_dir()


def _check_alone(settings: KubeflowSettings, step: str) -> None:
    mounts = settings.step(step).mounts
    claims, paths = [mount.claim for mount in mounts], [mount.path for mount in mounts]
    if twice := _repeated(claims):
        raise ConfigError(
            f"kubeflow.steps.{step}.mounts: expected each claim once, received {', '.join(twice)} twice; "
            "mount it once, above both folders"
        )
    if twice := _repeated(paths):
        raise ConfigError(f"kubeflow.steps.{step}.mounts: expected each path once, received {', '.join(twice)} twice")


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
