"""One small model on disk, and one server that all contract tests ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from served_models import MODEL, copy_version, save_served_model

from interest_migration.server.running import RunningServer, running
from interest_migration.server.settings import ServerSettings

CONFIG = """
model_config_list {
  config {
    name: "shop"
    base_path: "shop"
    model_platform: "tensorflow"
    model_version_policy { specific { versions: 3 versions: 4 } }
    version_labels { key: "stable" value: 3 }
    version_labels { key: "canary" value: 4 }
  }
}
"""


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_served_model(tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture(scope="session")
def shop_server(saved_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Serves versions 3 (stable) and 4 (canary) of the model `shop`; takes requests of up to 256 KiB and 100 rows."""
    models = tmp_path_factory.mktemp("models")
    for version in (2, 3, 4):
        copy_version(saved_model, models, version)
    (models / "models.config").write_text(CONFIG)
    settings = ServerSettings(
        models=models, grpc_port=0, rest_port=0, poll_seconds=0.2, max_message_bytes=1 << 18, max_rows=100
    )
    with running(settings) as server:
        server.wait_for(MODEL, 3)
        server.wait_for(MODEL, 4)
        yield server
