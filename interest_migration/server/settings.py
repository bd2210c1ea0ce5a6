"""Settings of the local server."""

from pathlib import Path
from typing import Final

from pydantic import Field

from interest_migration.settings import Settings

MIB: Final = 1 << 20


class ServerSettings(Settings):
    """What `interest-migration serve` can be told.

    Attributes:
      models: Folder that holds `<model name>/<version>/saved_model.pb`.
      model_config_file: ModelServerConfig as text; None: `models.config` in `models`, if there is one.
      host: Address to listen on.
      grpc_port: Port of gRPC; 0 takes a free one.
      rest_port: Port of REST, metrics and pages; 0 takes a free one.
      poll_seconds: Time between two looks at the folders and the configuration.
      workers: Calls of models that run at the same time.
      max_batch: Rows that are put together into one call; 1 switches batching off.
      batch_timeout_ms: How long a batch that is not full waits for more rows while a worker is idle. At 0 a batch is
        what has gathered while a call was under way, so that a lone request never waits.
      max_rows: Rows of one request; more are refused.
      max_message_bytes: Size of a request; larger ones are refused before they are read.
      max_in_flight: Requests being answered; further ones are refused with RESOURCE_EXHAUSTED or 429.
      timeout_s: Longest time for one request; a gRPC client may set a shorter one.
      drain_s: How long requests under way may take after a stop was asked for.
    """

    models: Path
    model_config_file: Path | None = None
    host: str = "127.0.0.1"
    grpc_port: int = Field(default=8500, ge=0, le=65535)
    rest_port: int = Field(default=8501, ge=0, le=65535)
    poll_seconds: float = Field(default=1.0, gt=0)
    workers: int = Field(default=2, ge=1)
    max_batch: int = Field(default=64, ge=1)
    batch_timeout_ms: float = Field(default=0.0, ge=0)
    max_rows: int = Field(default=1024, ge=1)
    max_message_bytes: int = Field(default=32 * MIB, ge=1024)
    max_in_flight: int = Field(default=256, ge=1)
    timeout_s: float = Field(default=30.0, gt=0)
    drain_s: float = Field(default=20.0, ge=0)
