"""Where Kubeflow Pipelines is, and as whom it is asked.

The command line wins over the environment, and that over the configuration.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from pydantic import Field

from interest_migration.errors import ConfigError
from interest_migration.settings import Settings

HOST_VARIABLE: Final = "KF_PIPELINES_ENDPOINT"
UI_VARIABLE: Final = "KF_PIPELINES_UI_ENDPOINT"
NAMESPACE_VARIABLE: Final = "KF_PIPELINES_NAMESPACE"
TOKEN_VARIABLE: Final = "KF_PIPELINES_TOKEN"
TOKEN_FILE_VARIABLE: Final = "KF_PIPELINES_SA_TOKEN_PATH"
POD_TOKEN_FILE: Final = Path("/var/run/secrets/kubeflow/pipelines/token")
"""Where Kubeflow mounts a token of a pod's service account."""


class SubmitSettings(Settings):
    """How runs are submitted.

    Attributes:
      host: Address of the API, such as `http://localhost:8888` or `https://kubeflow.example.com/pipeline`.
      ui_host: Address of the pages, for links; default: the host.
      cluster_host: Address of the API from inside the cluster, for runs on a schedule.
      namespace: Namespace of the runs, where Kubeflow has several users.
      experiment: Experiment that the runs belong to; default: the pipeline's name.
      service_account: Account that the steps run as; default: the backend's.
      token_file: File with a bearer token, read again for every request; default: the one of the pod, if there is one.
      ca_file: Certificates to trust, in PEM; default: the system's.
      poll_seconds: How often a run is asked for its state.
      patience_seconds: How long the API may be away while a run is watched.
    """

    host: str | None = None
    ui_host: str | None = None
    cluster_host: str = "http://ml-pipeline.kubeflow:8888"
    namespace: str | None = None
    experiment: str | None = None
    service_account: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    poll_seconds: float = Field(10, gt=0)
    patience_seconds: float = Field(300, ge=0)

    def at_root(self, root: Path) -> Self:
        """Makes paths absolute; they are relative to the project root."""
        named = {"token_file": self.token_file, "ca_file": self.ca_file}
        return self.model_copy(update={name: root / path for name, path in named.items() if path})


@dataclass(frozen=True)
class Connection:
    """One API, and who asks it.

    Attributes:
      host: Its address, without a slash at the end.
      ui: Address of the pages.
      namespace: Of the runs; None if none was named.
      token: Bearer token; None for none or one from a file.
      token_file: File of the token.
      ca_file: Certificates to trust.
    """

    host: str
    ui: str
    namespace: str | None = None
    token: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None

    def read_token(self) -> str | None:
        """Returns the token of now; files change when tokens are renewed.

        Raises:
          ConfigError: If the file cannot be read or is empty, or what was found is no token; it is not shown.
        """
        if self.token or self.token_file is None:
            return self.token and _checked(self.token, TOKEN_VARIABLE)
        try:
            token = self.token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"expected a token in {self.token_file}, received: {error.strerror}") from error
        if not token:
            raise ConfigError(f"expected a token in {self.token_file}, received an empty file")
        return _checked(token, str(self.token_file))

    def run_page(self, run_id: str) -> str:
        """Returns the address of a run's page."""
        return f"{self.ui}/#/runs/details/{run_id}"


def find_connection(
    settings: SubmitSettings,
    host: str | None = None,
    namespace: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Connection:
    """Decides which API is asked.

    Args:
      settings: From the configuration.
      host: From the command line.
      namespace: From the command line.
      environment: Variables.

    Raises:
      ConfigError: If there is no host, or it is no address.
    """
    address = host or environment.get(HOST_VARIABLE) or settings.host
    if not address:
        raise ConfigError(
            f"expected the address of Kubeflow Pipelines, received none; give --host, set {HOST_VARIABLE} or "
            "submit.host. For one without an address outside: kubectl port-forward -n kubeflow svc/ml-pipeline 8888, "
            "then --host http://localhost:8888"
        )
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", address):
        raise ConfigError(f"--host: expected an address such as https://kubeflow.example.com, received {address!r}")
    address = address.rstrip("/")
    return Connection(
        host=address,
        ui=(environment.get(UI_VARIABLE) or settings.ui_host or address).rstrip("/"),
        namespace=namespace or environment.get(NAMESPACE_VARIABLE) or settings.namespace,
        token=environment.get(TOKEN_VARIABLE, "").strip() or None,
        token_file=_token_file(settings, environment),
        ca_file=settings.ca_file,
    )


def _checked(token: str, where: str) -> str:
    """A library that refuses a header shows it, and the token in it."""
    if not (token.isascii() and token.isprintable()):
        raise ConfigError(f"expected a token in {where}, received characters that no token has")
    return token


def _token_file(settings: SubmitSettings, environment: Mapping[str, str]) -> Path | None:
    named = environment.get(TOKEN_FILE_VARIABLE)
    if named:
        return Path(named)
    return settings.token_file or (POD_TOKEN_FILE if POD_TOKEN_FILE.exists() else None)
