"""The second document of a compiled pipeline: what Kubernetes alone knows, per executor.

    platforms.kubernetes.deploymentSpec.executors.Trainer_executor: {pvcMount: [...], nodeSelector: ...}

It is built from the messages that the backend parses it with, so a wrong field cannot be written.
"""

from typing import Any, Final

from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2 as kubernetes

from pipeline.kubeflow.repairs import Spec
from pipeline.kubeflow.resources import named_tasks
from pipeline.kubeflow.settings import KubeflowSettings, Mount, SecretVariables, StepSettings, Toleration
from pipeline.kubeflow.variables import RUN_ID

_RUN_LABEL: Final = "metadata.labels['pipeline/runid']"
_SHARED_MEMORY: Final = "/dev/shm"


def make_platform(spec: Spec, settings: KubeflowSettings) -> Spec:
    """Returns the platform document of a pipeline spec."""
    executors = {
        spec["components"][task["componentRef"]["name"]]["executorLabel"]: json_format.MessageToDict(
            _executor_config(settings.step(name))
        )
        for name, task in named_tasks(spec)
    }
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": dict(sorted(executors.items()))}}}}


def _executor_config(step: StepSettings) -> Any:
    return kubernetes.KubernetesExecutorConfig(
        field_path_as_env=[kubernetes.FieldPathAsEnv(name=RUN_ID, field_path=_RUN_LABEL)],
        pvc_mount=[_pvc_mount(mount) for mount in step.mounts],
        secret_as_env=[_secret_as_env(secret) for secret in step.secrets],
        node_selector=kubernetes.NodeSelector(labels=step.node_selector) if step.node_selector else None,
        tolerations=[_toleration(toleration) for toleration in step.tolerations],
        empty_dir_mounts=_shared_memory(step),
        active_deadline_seconds=step.deadline_seconds,
        image_pull_policy=step.image_pull_policy,
        image_pull_secret=[kubernetes.ImagePullSecret(secret_name=name) for name in step.image_pull_secrets],
    )


def _pvc_mount(mount: Mount) -> Any:
    return kubernetes.PvcMount(constant=mount.claim, mount_path=mount.path, sub_path=mount.sub_path)


def _secret_as_env(secret: SecretVariables) -> Any:
    keys = [
        kubernetes.SecretAsEnv.SecretKeyToEnvMap(secret_key=key, env_var=variable)
        for variable, key in secret.variables.items()
    ]
    return kubernetes.SecretAsEnv(secret_name=secret.secret, key_to_env=keys, optional=secret.optional)


def _toleration(toleration: Toleration) -> Any:
    return kubernetes.Toleration(
        key=toleration.key,
        operator=toleration.operator,
        value=toleration.value,
        effect=toleration.effect,
        toleration_seconds=toleration.seconds,
    )


def _shared_memory(step: StepSettings) -> list[Any]:
    if step.shared_memory is None:
        return []
    mount = kubernetes.EmptyDirMount(
        volume_name="shared-memory", mount_path=_SHARED_MEMORY, medium="Memory", size_limit=step.shared_memory
    )
    return [mount]
