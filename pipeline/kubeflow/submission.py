"""What is sent to Kubeflow Pipelines for one run or one schedule, and the sending of it.

    pipeline demo -> version demo-1f2e3d4c5b6a -> experiment demo -> run, or recurring run

A version is named after what was compiled, without the defaults of its parameters, since their values are sent with
every run: runs of unchanged code and configuration share a version.
"""

import copy
import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kfp_server_api

from interest_migration.errors import ConfigError
from pipeline.kubeflow.api import PipelinesApi, UnreachableError, named, to_json
from pipeline.kubeflow.compiled import Compiled
from pipeline.kubeflow.schedule import Schedule
from pipeline.kubeflow.submit_settings import SubmitSettings

_DIGEST_LETTERS = 12


@dataclass(frozen=True)
class Places:
    """Ids that the API gives.

    Attributes:
      namespace: Of pipeline and experiment; None where there is one user only.
      pipeline: Id of the pipeline.
      version: Id of the version.
      experiment: Id of the experiment.
    """

    namespace: str | None
    pipeline: str
    version: str
    experiment: str


@dataclass(frozen=True)
class Submission:
    """Everything that is sent, but for ids.

    Attributes:
      pipeline: Name of the pipeline.
      version: Name of its version.
      experiment: Name of the experiment.
      job: Name of the run or of the recurring run.
      package: Both YAML documents of the compiled pipeline.
      parameters: Runtime parameters.
      pipeline_root: Where artifacts go; empty for the backend's default.
      service_account: Account of the steps, None for the backend's.
      schedule: When it recurs; None for one run now.
    """

    pipeline: str
    version: str
    experiment: str
    job: str
    package: str
    parameters: dict[str, Any]
    pipeline_root: str = ""
    service_account: str | None = None
    schedule: Schedule | None = None

    def run_body(self, places: Places) -> kfp_server_api.V2beta1Run:
        """Returns the body that starts a run."""
        return kfp_server_api.V2beta1Run(display_name=self.job, **self._common(places))

    def recurring_run_body(self, places: Places) -> kfp_server_api.V2beta1RecurringRun:
        """Returns the body that creates a recurring run: one at a time, and none for the past."""
        if self.schedule is None:
            raise ConfigError("expected a schedule for a recurring run, received none")
        if self.schedule.cron:
            trigger = kfp_server_api.V2beta1Trigger(
                cron_schedule=kfp_server_api.V2beta1CronSchedule(cron=self.schedule.cron)
            )
        else:
            periodic = kfp_server_api.V2beta1PeriodicSchedule(interval_second=str(self.schedule.every_seconds))
            trigger = kfp_server_api.V2beta1Trigger(periodic_schedule=periodic)
        return kfp_server_api.V2beta1RecurringRun(
            display_name=self.job,
            trigger=trigger,
            mode=kfp_server_api.RecurringRunMode.ENABLE,
            max_concurrency="1",
            no_catchup=True,
            **self._common(places),
        )

    def _common(self, places: Places) -> dict[str, Any]:
        return {
            "experiment_id": places.experiment,
            "pipeline_version_reference": kfp_server_api.V2beta1PipelineVersionReference(
                pipeline_id=places.pipeline, pipeline_version_id=places.version
            ),
            "runtime_config": kfp_server_api.V2beta1RuntimeConfig(
                parameters=self.parameters, pipeline_root=self.pipeline_root or None
            ),
            "service_account": self.service_account,
        }

    def describe(self, namespace: str | None) -> list[dict[str, Any]]:
        """Returns the requests in order, with `<...>` for ids; those with `unless` are left out if their object exists.

        Args:
          namespace: That would be used if the API has several users.
        """
        places = Places(namespace, "<pipeline id>", "<version id>", "<experiment id>")
        requests = [
            _request("GET", "healthz"),
            _request("GET", "pipelines", query={"filter": named(self.pipeline), "namespace": namespace}),
            _request("POST", "pipelines", body=to_json(pipeline_body(self, namespace)), unless="it exists"),
            _request("GET", f"pipelines/{places.pipeline}/versions", query={"filter": named(self.version)}),
            _request(
                "POST",
                "pipelines/upload_version",
                query={"name": self.version, "pipelineid": places.pipeline},
                file=self.package,
                unless="it exists",
            ),
            _request("GET", "experiments", query={"filter": named(self.experiment), "namespace": namespace}),
            _request("POST", "experiments", body=to_json(experiment_body(self, namespace)), unless="it exists"),
        ]
        if self.schedule is None:
            return [*requests, _request("POST", "runs", body=to_json(self.run_body(places)))]
        query = {"experiment_id": places.experiment, "filter": named(self.job)}
        return [
            *requests,
            _request("GET", "recurringruns", query=query),
            _request("POST", "recurringruns", body=to_json(self.recurring_run_body(places))),
            _request("DELETE", "recurringruns/<earlier id>", unless="there is no earlier one of this name"),
        ]


@dataclass(frozen=True)
class Submitted:
    """What the API has now.

    Attributes:
      places: Ids and namespace.
      run_id: Id of the run, or of the recurring run.
      replaced: Ids of earlier recurring runs of the same name, which have been deleted.
    """

    places: Places
    run_id: str
    replaced: tuple[str, ...] = ()


def plan_submission(
    compiled: Compiled,
    settings: SubmitSettings,
    job: str,
    *,
    pipeline_root: str = "",
    schedule: Schedule | None = None,
) -> Submission:
    """Puts together what is sent."""
    name = str(compiled.pipeline_spec["pipelineInfo"]["name"])
    return Submission(
        pipeline=name,
        version=f"{name}-{digest(compiled)}",
        experiment=settings.experiment or name,
        job=job,
        package=compiled.to_yaml(),
        parameters=dict(compiled.parameters),
        pipeline_root=pipeline_root,
        service_account=settings.service_account,
        schedule=schedule,
    )


def digest(compiled: Compiled) -> str:
    """Returns letters that differ whenever what was compiled does, but for the defaults of its parameters."""
    spec = copy.deepcopy(compiled.pipeline_spec)
    for parameter in spec["root"].get("inputDefinitions", {}).get("parameters", {}).values():
        parameter.pop("defaultValue", None)
    text = json.dumps([spec, compiled.platform_spec], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LETTERS]


def submit(submission: Submission, api: PipelinesApi, namespace: str | None) -> Submitted:
    """Sends it.

    Args:
      submission: What to send.
      api: Where to.
      namespace: Of the runs; needed where the API has several users, of no use where it has one.

    Raises:
      ConfigError: If the namespace is missing, or the API refuses something.
      ApiUnavailableError: If the API is away.
    """
    several = _ask_first(api)
    if several and not namespace:
        raise ConfigError(
            "expected a namespace, since Kubeflow has several users there, received none; give --namespace or set "
            "submit.namespace"
        )
    places = _find_places(submission, api, namespace if several else None)
    if submission.schedule is None:
        return Submitted(places, api.start_run(submission.run_body(places)))
    earlier = api.find_recurring_runs(submission.job, places.experiment)
    recurring_run_id = api.create_recurring_run(submission.recurring_run_body(places))
    for each in earlier:
        api.delete_recurring_run(each)
    return Submitted(places, recurring_run_id, tuple(earlier))


def pipeline_body(submission: Submission, namespace: str | None) -> kfp_server_api.V2beta1Pipeline:
    """Returns the body that creates a pipeline."""
    return kfp_server_api.V2beta1Pipeline(display_name=submission.pipeline, namespace=namespace)


def experiment_body(submission: Submission, namespace: str | None) -> kfp_server_api.V2beta1Experiment:
    """Returns the body that creates an experiment."""
    return kfp_server_api.V2beta1Experiment(display_name=submission.experiment, namespace=namespace)


def _ask_first(api: PipelinesApi) -> bool:
    """Asks whether there are several users; an address at which nobody answers is the submitter's to repair."""
    try:
        return api.has_several_users()
    except UnreachableError as error:
        raise ConfigError(str(error)) from error


def _find_places(submission: Submission, api: PipelinesApi, namespace: str | None) -> Places:
    pipeline = api.find_pipeline(submission.pipeline, namespace) or api.create_pipeline(
        pipeline_body(submission, namespace)
    )
    version = api.find_version(pipeline, submission.version) or _upload(submission, api, pipeline)
    experiment = api.find_experiment(submission.experiment, namespace) or api.create_experiment(
        experiment_body(submission, namespace)
    )
    return Places(namespace, pipeline, version, experiment)


def _upload(submission: Submission, api: PipelinesApi, pipeline: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{submission.version}.yaml"
        file.write_text(submission.package, encoding="utf-8")
        return api.upload_version(pipeline, submission.version, file)


def _request(method: str, path: str, **parts: Any) -> dict[str, Any]:
    query = {name: value for name, value in (parts.pop("query", None) or {}).items() if value is not None}
    found = {"query": query or None, **parts}
    present = {name: value for name, value in found.items() if value is not None}
    return {"method": method, "path": f"/apis/v2beta1/{path}", **present}
