"""The parts of Kubeflow Pipelines' v2beta1 API that a submission needs, each of whose failures is one clear line."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import kfp_server_api
import urllib3

from interest_migration.errors import ConfigError, InterestMigrationError
from pipeline.kubeflow.submit_settings import HOST_VARIABLE, TOKEN_VARIABLE, Connection

_TIMEOUT_S: Final = (10, 120)
"""To connect, and to answer."""
_EQUALS: Final = "EQUALS"
_LARGEST_LOG_BYTES: Final = 1 << 20


class ApiUnavailableError(InterestMigrationError):
    """The API could not answer; asked again later, it may."""


class UnreachableError(ApiUnavailableError):
    """Nobody answers at the address: it is wrong, or the network is down."""


class NotThereError(ConfigError):
    """What was asked for is not there, or the API is not."""


class PipelinesApi:
    """Asks one API.

    Args:
      connection: Which, and as whom.

    All methods raise:
      ConfigError: If the address, the token, the namespace or what was asked is wrong.
      ApiUnavailableError: If the API is broken or away.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        settings = kfp_server_api.Configuration(host=connection.host)
        logging.getLogger(urllib3.__name__).setLevel(logging.ERROR)  # of attempts, the error of the last one tells
        settings.retries = urllib3.Retry(connect=2, read=0, redirect=0, status=0, raise_on_redirect=False)
        settings.ssl_ca_cert = str(connection.ca_file) if connection.ca_file else None
        if connection.token or connection.token_file:
            settings.api_key_prefix["authorization"] = "Bearer"
            settings.api_key["authorization"] = ""  # there, so that the client asks for it
            settings.refresh_api_key_hook = self._renew_token
        client = kfp_server_api.ApiClient(settings)
        self._client = client
        self._health = kfp_server_api.HealthzServiceApi(client)
        self._pipelines = kfp_server_api.PipelineServiceApi(client)
        self._uploads = kfp_server_api.PipelineUploadServiceApi(client)
        self._experiments = kfp_server_api.ExperimentServiceApi(client)
        self._runs = kfp_server_api.RunServiceApi(client)
        self._recurring = kfp_server_api.RecurringRunServiceApi(client)

    def has_several_users(self) -> bool:
        """Asks whether everything belongs to a namespace there; the first request, which also proves the address."""
        try:
            health = self._call(self._health.healthz_service_get_healthz)
        except NotThereError as error:
            raise _other_than_api(self._connection.host) from error
        if health.multi_user is None:
            raise _other_than_api(self._connection.host)
        return bool(health.multi_user)

    def find_pipeline(self, name: str, namespace: str | None) -> str | None:
        """Returns the id of a pipeline, None if there is none of that name."""
        found = self._call(
            self._pipelines.pipeline_service_list_pipelines, filter=named(name), **_present(namespace=namespace)
        ).pipelines
        return found[0].pipeline_id if found else None

    def create_pipeline(self, body: kfp_server_api.V2beta1Pipeline) -> str:
        """Returns the id of a new pipeline without versions."""
        return str(self._call(self._pipelines.pipeline_service_create_pipeline, body).pipeline_id)

    def find_version(self, pipeline_id: str, name: str) -> str | None:
        """Returns the id of a version, None if there is none of that name."""
        found = self._call(
            self._pipelines.pipeline_service_list_pipeline_versions, pipeline_id, filter=named(name)
        ).pipeline_versions
        return found[0].pipeline_version_id if found else None

    def upload_version(self, pipeline_id: str, name: str, file: Path) -> str:
        """Returns the id of a new version."""
        version = self._call(self._uploads.upload_pipeline_version, str(file), name=name, pipelineid=pipeline_id)
        return str(version.pipeline_version_id)

    def find_experiment(self, name: str, namespace: str | None) -> str | None:
        """Returns the id of an experiment, None if there is none of that name."""
        found = self._call(
            self._experiments.experiment_service_list_experiments, filter=named(name), **_present(namespace=namespace)
        ).experiments
        return found[0].experiment_id if found else None

    def create_experiment(self, body: kfp_server_api.V2beta1Experiment) -> str:
        """Returns the id of a new experiment."""
        return str(self._call(self._experiments.experiment_service_create_experiment, body).experiment_id)

    def start_run(self, body: kfp_server_api.V2beta1Run) -> str:
        """Returns the id of a run that starts now."""
        return str(self._call(self._runs.run_service_create_run, body).run_id)

    def get_run(self, run_id: str) -> kfp_server_api.V2beta1Run:
        """Returns a run with its steps."""
        return self._call(self._runs.run_service_get_run, run_id)

    def find_recurring_runs(self, name: str, experiment_id: str) -> list[str]:
        """Returns the ids of the recurring runs of a name in an experiment."""
        found = self._call(
            self._recurring.recurring_run_service_list_recurring_runs, experiment_id=experiment_id, filter=named(name)
        ).recurring_runs
        return [each.recurring_run_id for each in found or []]

    def create_recurring_run(self, body: kfp_server_api.V2beta1RecurringRun) -> str:
        """Returns the id of a new recurring run."""
        created = self._call(self._recurring.recurring_run_service_create_recurring_run, body)
        return str(created.recurring_run_id)

    def delete_recurring_run(self, recurring_run_id: str) -> None:
        """Ends a recurring run; runs that it has started go on."""
        self._call(self._recurring.recurring_run_service_delete_recurring_run, recurring_run_id)

    def read_log(self, run_id: str, pod: str) -> str:
        """Returns what a step's pod has written, from the pod or, once it is gone, from the archive."""
        answer = self._call(
            self._client.call_api,
            f"/apis/v1alpha1/runs/{run_id}/nodes/{pod}/log",
            "GET",
            query_params=[("follow", "false")],
            auth_settings=["Bearer"],
            response_type=None,
            _preload_content=False,
            _return_http_data_only=True,
        )
        text: bytes = answer.read(_LARGEST_LOG_BYTES)
        return text.decode("utf-8", errors="replace")

    def _renew_token(self, settings: kfp_server_api.Configuration) -> None:
        settings.api_key["authorization"] = self._connection.read_token()

    def _call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        host = self._connection.host
        try:
            return method(*args, _request_timeout=_TIMEOUT_S, **kwargs)
        except kfp_server_api.ApiException as error:
            raise _explain(error, self._connection) from error
        except urllib3.exceptions.HTTPError as error:
            reason = _first_line(str(getattr(error, "reason", None) or error)).rpartition(": ")[2]
            raise UnreachableError(
                f"expected Kubeflow Pipelines at {host}, received: {reason}. Check --host "
                f"({HOST_VARIABLE}, submit.host); without an address outside: "
                "kubectl port-forward -n kubeflow svc/ml-pipeline 8888"
            ) from error
        except (ValueError, TypeError) as error:
            raise ConfigError(f"expected Kubeflow Pipelines' API at {host}, received: {error}") from error


def named(name: str) -> str:
    """Returns the filter of a list by display name."""
    return json.dumps({"predicates": [{"operation": _EQUALS, "key": "display_name", "stringValue": name}]})


def to_json(body: Any) -> Any:
    """Returns a body as it is sent."""
    return kfp_server_api.ApiClient(kfp_server_api.Configuration()).sanitize_for_serialization(body)


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _other_than_api(host: str) -> ConfigError:
    return ConfigError(
        f"expected Kubeflow Pipelines' API at {host}, received something else, such as a page to log in; behind one, "
        "give a token, and a host that ends in /pipeline"
    )


def _explain(error: kfp_server_api.ApiException, connection: Connection) -> InterestMigrationError:
    """Says what was wrong, and what to do."""
    host, namespace, said = connection.host, connection.namespace, _message(error)
    if error.status == 0:
        return ConfigError(f"expected a trusted certificate of {host}, received: {said}; see submit.ca_file")
    if error.status == 401 or 300 <= error.status < 400:
        return ConfigError(
            f"expected a valid token for {host}, received {error.status}: {said}. It has expired or is for another "
            f"audience: kubectl create token ACCOUNT --audience=pipelines.kubeflow.org, then set {TOKEN_VARIABLE}"
        )
    if error.status == 403:
        return ConfigError(
            f"expected the right to do this in namespace {namespace} of {host}, received 403: {said}. Is the namespace "
            "right? The rights are in kubeflow/manifests/submitter"
        )
    if error.status == 404:
        place = f"namespace {namespace}" if namespace else "what was asked for"
        return NotThereError(f"expected {place} at {host}, received 404: {said}. Check --namespace and --host")
    if error.status == 429 or error.status >= 500:
        return ApiUnavailableError(f"{host} could not answer: {error.status} {said}")
    return ConfigError(f"{host} refused the request: {error.status} {said}")


def _message(error: kfp_server_api.ApiException) -> str:
    """Returns the first line of what the API said: `{"message": ..., "error": ...}`, or plain text."""
    body = error.body if isinstance(error.body, str) else (error.body or b"").decode("utf-8", errors="replace")
    try:
        values = json.loads(body)
    except ValueError:
        values = {}
    said = (values.get("message") or values.get("error")) if isinstance(values, dict) else None
    return _first_line(said or error.reason or body or "no reason").rstrip(".")


def _first_line(text: str) -> str:
    return str(text).strip().splitlines()[0][:300]
