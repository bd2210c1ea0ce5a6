"""The pages name every key, and their examples are valid."""

import re
from pathlib import Path

import pytest
import yaml

from interest_migration.data_gate.settings import DataGateSettings
from interest_migration.ingestion.profile import PROFILED
from interest_migration.sources.partition_settings import PartitionSettings

DOCS = Path(__file__).parents[3] / "docs"
SPANS, GATE = ((DOCS / name).read_text(encoding="utf-8") for name in ("spans.md", "data_gate.md"))


def test_every_key_of_partitions_is_on_the_page():
    assert set(PartitionSettings.model_fields) <= set(re.findall(r"`(\w+)`", SPANS))


@pytest.mark.parametrize("pattern", re.findall(r'partitions: "([^"]+)"', SPANS))
def test_patterns_of_the_page_are_valid(pattern: str):
    assert PartitionSettings(pattern=pattern).spans_of.is_dated


def test_every_key_of_the_data_gates_is_on_the_page():
    assert set(DataGateSettings.model_fields) <= set(re.findall(r"(\w+):", GATE)) | set(re.findall(r"`(\w+)`", GATE))
    assert len(PROFILED) == 8


def test_the_example_of_the_page_is_valid():
    text = re.search(r"```yaml\n(.*?)```", GATE, re.DOTALL)
    assert text is not None
    assert DataGateSettings.from_values(yaml.safe_load(text[1]), source="the page").serving is not None
