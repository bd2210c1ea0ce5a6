"""Settings of the pipeline on Kubeflow: image, storage, and what each step gets of the cluster."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from interest_migration.settings import Settings

_QUANTITY: Final = re.compile(r"[0-9]+(\.[0-9]+)?(m|[kMGTPE]|[KMGTPE]i)?")


def _read_quantity(value: object) -> str:
    """A bare `2` is a number in YAML, and a quantity for Kubernetes."""
    text = str(value)
    if isinstance(value, bool) or not _QUANTITY.fullmatch(text):
        raise ValueError("expected a quantity of Kubernetes such as 500m, 2 or 4Gi")
    return text


Quantity = Annotated[str, BeforeValidator(_read_quantity)]
"""A Kubernetes quantity: `500m`, `2`, `4Gi`."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
"""Name of a Kubernetes object."""

_OF_THE_BACKEND: Final = frozenset({"/minio", "/s3", "/gcs", "/.local", "/.cache", "/.config", "/kfp-launcher"})
"""Volumes that every pod of a step has: scratch space of the launcher, and the launcher."""

_VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
Variable = Annotated[str, StringConstraints(pattern=_VARIABLE)]


class Accelerator(Settings):
    """Devices of a step.

    Attributes:
      type: Resource name, such as `nvidia.com/gpu` or `google.com/tpu`.
      count: How many.
    """

    type: str = Field("nvidia.com/gpu", pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$")
    count: int = Field(1, ge=1)


class Toleration(Settings):
    """A taint that a step's pod bears, as Kubernetes has it."""

    key: str = ""
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str = ""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    seconds: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _as_kubernetes_has_it(self) -> Self:
        if self.operator == "Exists" and self.value:
            raise ValueError("expected no value with operator Exists")
        if self.operator == "Equal" and not self.key:
            raise ValueError("expected a key, or operator Exists for all taints")
        if self.seconds is not None and self.effect != "NoExecute":
            raise ValueError("expected effect NoExecute with seconds")
        return self


class SecretVariables(Settings):
    """Environment variables from a Secret.

    Attributes:
      secret: Its name.
      variables: Variable -> key in the Secret.
      optional: Whether the pod starts without it.
    """

    secret: Name
    variables: dict[Variable, str] = Field(min_length=1)
    optional: bool = False


class Mount(Settings):
    """A persistent volume claim in a step's file system.

    Attributes:
      claim: Its name.
      path: Where it appears, absolute.
      sub_path: Folder inside the volume; by default all of it.
    """

    claim: Name
    path: str
    sub_path: str = ""

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        if not PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or path == "/":
            raise ValueError("expected an absolute path below / without ..")
        if str(PurePosixPath(path)) in _OF_THE_BACKEND:
            raise ValueError("expected a path that the backend does not mount itself; folders below it can be")
        return str(PurePosixPath(path))


class Retries(Settings):
    """How often a failed step starts again.

    Attributes:
      count: Most restarts; 0 for none.
      wait_seconds: Before the first.
      factor: Each further wait is so much longer.
      longest_wait_seconds: No wait is longer.
    """

    count: int = Field(0, ge=0)
    wait_seconds: int = Field(30, ge=0)
    factor: float = Field(2.0, ge=1)
    longest_wait_seconds: int = Field(3600, ge=1)


class StepSettings(Settings):
    """What one step gets. Nothing set is nothing asked for.

    Attributes:
      image: Container image; by default that of the pipeline.
      cpu: Limit of cores.
      cpu_request: What is reserved of them; by default the limit.
      memory: Limit of memory.
      memory_request: What is reserved of it; by default the limit.
      accelerator: Devices.
      node_selector: Labels that the node must have.
      tolerations: Taints that are borne.
      environment: Environment variables.
      secrets: Environment variables from Secrets.
      mounts: Persistent volume claims.
      shared_memory: Size of /dev/shm; by default what the node gives, 64 MiB.
      retries: Restarts after a failure.
      deadline_seconds: The pod is stopped when it has run for so long.
      cache: Whether an earlier result is taken for the same inputs. Steps that look at what is served never are.
      image_pull_policy: When the image is pulled.
      image_pull_secrets: Secrets with access to the registry.
    """

    image: str | None = None
    cpu: Quantity | None = None
    cpu_request: Quantity | None = None
    memory: Quantity | None = None
    memory_request: Quantity | None = None
    accelerator: Accelerator | None = None
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    environment: dict[Variable, str] = Field(default_factory=dict)
    secrets: tuple[SecretVariables, ...] = ()
    mounts: tuple[Mount, ...] = ()
    shared_memory: Quantity | None = None
    retries: Retries = Retries()
    deadline_seconds: int | None = Field(None, ge=1)
    cache: bool = True
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    image_pull_secrets: tuple[Name, ...] = ()

    def merged(self, step: "StepSettings | None") -> "StepSettings":
        """Returns these settings with those of one step over them.

        Single values are replaced where the step sets them; mappings and lists are added to.

        Example:
          memory 2Gi, mounts [a] with memory 8Gi, mounts [b] -> memory 8Gi, mounts [a, b].
        """
        if step is None:
            return self
        given = {name: getattr(step, name) for name in step.model_fields_set}
        return self.model_copy(update={name: _add(getattr(self, name), value) for name, value in given.items()})


def _add(old: Any, new: Any) -> Any:
    if isinstance(new, dict):
        return {**old, **new}
    return (*old, *new) if isinstance(new, tuple) else new


class KubeflowSettings(Settings):
    """The pipeline on Kubeflow.

    Attributes:
      image: Container image of all steps, best by digest (`name@sha256:...`): its name is part of the cache keys.
      pipeline_root: Where artifacts go: `minio://`, `s3://` or `gs://` with bucket and path; by default the backend's.
      key_id: Public id of the pseudonym key, where the submitting machine may not see the key.
      fail_when_refused: Whether a run ends as failed if the model gate refuses; else it succeeds, and pushes nothing.
      defaults: What every step gets.
      steps: Step -> what it gets besides.
    """

    image: str = Field(min_length=1)
    pipeline_root: str = Field("", pattern=r"^((minio|s3|gs)://[^/]+(/.*)?)?$")
    key_id: str | None = None
    fail_when_refused: bool = False
    defaults: StepSettings = StepSettings()
    steps: dict[str, StepSettings] = Field(default_factory=dict)

    def step(self, name: str) -> StepSettings:
        """Returns what a step gets."""
        return self.defaults.merged(self.steps.get(name))
