"""Ingestion of logs in the layouts of public data sets, with the settings that docs/mappings.md gives for them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from public_logs import write_public_log

from components.ingestion import ingest
from interest_migration.examples.settings import ExampleSettings
from interest_migration.sources.mapping import SourceMapping

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
LONG_LABELS = ("churn_short", "churn_long", "switched")


def _settings() -> dict[str, dict[str, Any]]:
    """Mapping -> settings of the page: lines such as `rees46: {interest_level: 1}`."""
    block = re.search(r"```yaml examples\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    values: dict[str, dict[str, Any]] = yaml.safe_load(block[1])
    return values


def test_every_public_mapping_has_settings() -> None:
    own = {"complete_journey", "taobao_user_behavior"}  # configs/demo.yaml and configs/taobao.yaml are theirs
    assert set(_settings()) == {path.stem for path in (ROOT / "configs" / "sources").glob("*.yaml")} - own


@pytest.mark.parametrize("name", sorted(_settings()))
def test_settings_give_examples(name: str, tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    rows = write_public_log(name, tmp_path / "log")
    mapping = SourceMapping.from_yaml(ROOT / "configs" / "sources" / f"{name}.yaml")
    settings = ExampleSettings.from_values(_settings()[name], source="docs/mappings.md")
    found = ingest(mapping, str(tmp_path / "log"), tmp_path / "out", settings, bytes(32), 2, ["--runner=FnApiRunner"])
    assert found.rows_read == rows
    assert found.rows_used + sum(found.rejected.values()) == rows
    assert found.rows_used > 0.9 * rows
    assert min(found.examples.values()) >= 100
    for split, labels in found.labels.items():
        assert all(labels[label] > 0 for label in LONG_LABELS), split
    assert found.notes == (
        [f"items is optional and absent: nothing in {tmp_path / 'log'} is named **/JData_Product*.csv"]
        if name == "jdata"
        else []
    )
