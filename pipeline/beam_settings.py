"""Which engine runs the Beam steps, and with which options (docs/beam.md).

    beam: {runner: flink, master: "http://jobmanager:8081", parallelism: 8, environment: EXTERNAL, ...}
      -> --runner=FlinkRunner --flink_master=http://jobmanager:8081 --parallelism=8 --environment_type=EXTERNAL ...

Every environment has a configuration file of its own, and so a `beam` section of its own.
"""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from interest_migration.settings import Settings

Value = bool | int | float | str
LOCAL_ARGS: Final = ("--runner=FnApiRunner", "--direct_num_workers=1")
"""Names the runner: `DirectRunner` may look for another engine on the web first."""
ADDRESS: Final = r"^[^\s:/]+:\d{1,5}$"
FLINK_MASTER: Final = r"^((https?://)?[^\s:/]+:\d{1,5}|\[auto\])$"


class _Engine(Settings, ABC):
    """What every engine has.

    Attributes:
      options: Further options of Beam or the engine, without dashes: `{checkpointing_interval: 60000}`. `true` is a
        flag, a list repeats the option.
    """

    taken: ClassVar[tuple[str, ...]] = ("runner",)
    options: dict[str, Value | list[Value]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_options(self) -> "_Engine":
        for name in self.options:
            if name.startswith("-"):
                raise ValueError(f"expected options without dashes, received {name!r}; write {name.lstrip('-')!r}")
            if name in self.taken:
                raise ValueError(f"expected {name!r} as a field of its own, received it in options; see docs/beam.md")
        return self

    @abstractmethod
    def args(self) -> list[str]:
        """Options of Beam that its own fields stand for."""

    @property
    def exchanges_files(self) -> bool:
        """Whether the ingestion's workers hand events on through files of the workspace."""
        return False

    @property
    def works_elsewhere(self) -> bool:
        """Whether workers may be on other machines than the pipeline, and see of its disk only what is shared."""
        return False

    def at_root(self, _root: Path) -> Self:
        """Makes paths absolute; they are relative to the project root."""
        return self


class LocalBeam(_Engine):
    """This machine.

    Attributes:
      workers: Number of worker processes; with 1 the steps run in the process of the pipeline.
    """

    taken = ("runner", "direct_num_workers", "direct_running_mode")
    runner: Literal["local"] = "local"
    workers: int = Field(1, ge=1)

    @property
    def exchanges_files(self) -> bool:
        """They share this machine's disk."""
        return True

    def args(self) -> list[str]:
        """Names runner and workers."""
        mode = ["--direct_running_mode=multi_processing"] if self.workers > 1 else []
        return ["--runner=FnApiRunner", f"--direct_num_workers={self.workers}", *mode]


class _Shipping(_Engine):
    """How the workers come by the code.

    Attributes:
      setup_file: `setup.py` of the project, which is packed, sent and installed on every worker.
      sdk_container_image: Image of the workers with everything installed; the pipeline's own image will do.
    """

    setup_file: Path | None = None
    sdk_container_image: str | None = None

    def at_root(self, root: Path) -> Self:
        """Finds `setup_file`."""
        return self.model_copy(update={"setup_file": root / self.setup_file}) if self.setup_file else self

    def _shipping_args(self) -> list[str]:
        return _given(setup_file=self.setup_file, sdk_container_image=self.sdk_container_image)


class _Portable(_Shipping):
    """An engine behind Beam's job server.

    Attributes:
      environment: Where the Python workers run. `LOOPBACK`: in the process of the pipeline, for trials. `PROCESS`:
        started by the engine's own workers. `EXTERNAL`: by a worker pool beside each of them. `DOCKER`: in containers.
      worker_command: With `PROCESS`, the program that boots a worker.
      worker_variables: With `PROCESS`, its environment variables.
      worker_address: With `EXTERNAL`, host:port of the pool, as seen by the engine's workers.
      job_server_jar: Job server that is started for each step.
      job_endpoint: host:port of a job server that runs already; instead of the jar.
      max_hours: Longest time that a step may take. Beam gives up then (by itself after five minutes); it waits as long
        for a job server that does not answer.
      shared_disk: Whether the workers share a fast disk with this process: events are then exchanged through files in
        the workspace, not through the engine.
    """

    taken: ClassVar[tuple[str, ...]] = (
        "runner",
        "setup_file",
        "sdk_container_image",
        "environment_type",
        "environment_config",
        "environment_options",
        "job_endpoint",
        "job_server_timeout",
    )
    environment: Literal["LOOPBACK", "PROCESS", "EXTERNAL", "DOCKER"]
    worker_command: str | None = None
    worker_variables: dict[str, str] = Field(default_factory=dict)
    worker_address: str | None = Field(None, pattern=ADDRESS)
    job_server_jar: str | None = None
    job_endpoint: str | None = Field(None, pattern=ADDRESS)
    max_hours: float = Field(4, gt=0)
    shared_disk: bool = False

    @model_validator(mode="after")
    def _check_environment(self) -> "_Portable":
        needs = {
            "worker_command": "PROCESS",
            "worker_address": "EXTERNAL",
            "sdk_container_image": "DOCKER",
        }
        for name, environment in needs.items():
            given = getattr(self, name) is not None
            if self.environment == environment and not given:
                raise ValueError(f"expected {name} with environment {environment}, received none")
            if given and self.environment != environment:
                raise ValueError(f"expected {name} with environment {environment} only, received {self.environment}")
        if self.worker_variables and self.environment != "PROCESS":
            raise ValueError(f"expected worker_variables with environment PROCESS only, received {self.environment}")
        if self.job_server_jar and self.job_endpoint:
            raise ValueError("expected job_server_jar or job_endpoint, received both")
        return self

    @property
    def exchanges_files(self) -> bool:
        """They do if they share a disk."""
        return self.shared_disk

    @property
    def works_elsewhere(self) -> bool:
        """Unless they are in the process of the pipeline."""
        return self.environment != "LOOPBACK"

    def _portable_args(self) -> list[str]:
        server = _given(job_endpoint=self.job_endpoint, job_server_timeout=round(self.max_hours * 3600))
        return [*server, *self._environment_args(), *self._shipping_args()]

    def _environment_args(self) -> list[str]:
        config = self.worker_address or ""
        if self.worker_command:
            config = json.dumps({"command": self.worker_command, "env": self.worker_variables}, sort_keys=True)
        return [f"--environment_type={self.environment}", *_given(environment_config=config or None)]


def _as_text(version: object) -> object:
    if isinstance(version, float):
        raise ValueError('expected a version in quotes, as "1.20", which would be read as 1.2 without')  # noqa: TRY004
    return version


class FlinkBeam(_Portable):
    """Apache Flink.

    Attributes:
      master: URL or host:port of the job manager's REST interface; `[auto]` is the one that the job server knows.
      version: Of the cluster, as Beam's job server for it is named.
      parallelism: Number of task slots that a step uses; default: the cluster's.
    """

    taken = (*_Portable.taken, "flink_master", "flink_version", "parallelism", "flink_job_server_jar")
    runner: Literal["flink"]
    master: str = Field(pattern=FLINK_MASTER)
    version: Annotated[Literal["1.19", "1.20", "2.0", "2.1", "2.2"], BeforeValidator(_as_text)] = "2.2"
    parallelism: int | None = Field(None, ge=1)

    def args(self) -> list[str]:
        """Names cluster and job server."""
        return [
            "--runner=FlinkRunner",
            *_given(flink_master=self.master, flink_version=self.version, parallelism=self.parallelism),
            *_given(flink_job_server_jar=self.job_server_jar),
            *self._portable_args(),
        ]


class SparkBeam(_Portable):
    """Apache Spark 3.

    Attributes:
      master: URL of the master, such as `spark://host:7077` or `local[2]`.
    """

    taken = (*_Portable.taken, "spark_master_url", "spark_job_server_jar")
    runner: Literal["spark"]
    master: str

    def args(self) -> list[str]:
        """Names cluster and job server."""
        named = _given(spark_master_url=self.master, spark_job_server_jar=self.job_server_jar)
        return ["--runner=SparkRunner", *named, *self._portable_args()]


class DataflowBeam(_Shipping):
    """Google Cloud Dataflow.

    Attributes:
      project: Google Cloud project.
      region: Where the workers are.
      temp_location: Folder in a bucket for what Dataflow itself keeps.
      max_workers: Most workers of a step; default: Dataflow's.
    """

    taken = ("runner", "project", "region", "temp_location", "max_num_workers", "setup_file", "sdk_container_image")
    runner: Literal["dataflow"]
    project: str
    region: str
    temp_location: str = Field(pattern=r"^gs://[^/\s]+")
    max_workers: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _check_code(self) -> "DataflowBeam":
        if not (self.setup_file or self.sdk_container_image):
            raise ValueError(
                "expected setup_file or sdk_container_image, which bring the code to the workers, got none"
            )
        return self

    @property
    def works_elsewhere(self) -> bool:
        """On machines of Google."""
        return True

    def args(self) -> list[str]:
        """Names project and place."""
        place = _given(project=self.project, region=self.region, temp_location=self.temp_location)
        return ["--runner=DataflowRunner", *place, *_given(max_num_workers=self.max_workers), *self._shipping_args()]


def _check_runner(section: object) -> object:
    if isinstance(section, dict) and section.get("runner") not in ("local", "flink", "spark", "dataflow"):
        raise ValueError(f"expected runner: local, flink, spark or dataflow, received {section.get('runner')!r}")
    return section


BeamSettings = Annotated[
    LocalBeam | FlinkBeam | SparkBeam | DataflowBeam,
    Field(discriminator="runner"),
    BeforeValidator(_check_runner),
]


def beam_pipeline_args(settings: BeamSettings) -> tuple[str, ...]:
    """Returns the options of Beam that a section stands for.

    Example:
      LocalBeam() -> ("--runner=FnApiRunner", "--direct_num_workers=1")
    """
    return (*settings.args(), *_given(**settings.options))


def _given(**options: Any) -> list[str]:
    """Options that have a value.

    Example:
      a=1, b=None, c=True, d=["x", "y"], e=False -> --a=1 --c --d=x --d=y
    """
    args = []
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            if one is True:
                args.append(f"--{name}")
            elif one is not None and one is not False:
                args.append(f"--{name}={one}")
    return args
