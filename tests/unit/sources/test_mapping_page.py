"""docs/mappings.md names every key and reason, and its examples work."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from interest_migration.settings import Settings
from interest_migration.sources import fields, file_sources, mapping
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.rejects import Reason
from schemas.events import ACTIONS

PAGE = (Path(__file__).parents[3] / "docs" / "mappings.md").read_text(encoding="utf-8")
MODELS = [
    value
    for module in (fields, file_sources, mapping)
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, Settings) and value is not Settings
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_is_on_the_page(model: type[Settings]) -> None:
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert set(model.model_fields) <= named


def test_every_reason_and_action_is_on_the_page() -> None:
    assert all(f"`{word}`" in PAGE for word in (*Reason, *ACTIONS))


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_examples_are_valid(text: str) -> None:
    SourceMapping.from_values(yaml.safe_load(text), source="the page")


def test_first_example_gives_what_the_page_says(tmp_path: Path, read: Any) -> None:
    import gzip

    rows = re.search(r"(    customer_id.*?)\n\n", PAGE, re.DOTALL)
    text = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert rows is not None
    assert text is not None
    (tmp_path / "clicks").mkdir()
    data = "\n".join(line.strip() for line in rows[1].splitlines())
    (tmp_path / "clicks" / "2024-01-01.csv.gz").write_bytes(gzip.compress(data.encode()))
    events, rejects = read(SourceMapping.from_values(yaml.safe_load(text[1]), source="the page"), tmp_path)
    assert [(row["action"], row["item"], row["time_s"], row["price"]) for row in events] == [
        ("view", "A-1", 1704100000, None),
        ("purchase", "A-1", 1704100060, 12.9),
    ]
    assert rejects == []
