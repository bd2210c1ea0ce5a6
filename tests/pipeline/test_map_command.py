"""`interest-migration map`."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from interest_migration.sources.mapping import SourceMapping
from pipeline.cli import main

FIXTURES = Path(__file__).parents[1] / "unit" / "sources" / "fixtures"


def _map(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["map", *map(str, arguments)])


def test_the_mapping_alone_goes_to_standard_output() -> None:
    result = _map("--sample", FIXTURES / "rees46" / "2019-Oct.csv")
    assert result.exit_code == 0
    mapping = SourceMapping.from_values(yaml.safe_load(result.stdout), source="the command")
    assert mapping.streams[0].fields.user.column == "user_id"
    assert "What could not be told" in result.stderr
    assert "rows used                 6" in result.stderr
    assert "1  bad_time" in result.stderr


def test_the_mapping_is_written_and_works(tmp_path: Path) -> None:
    folder = FIXTURES / "retailrocket"
    samples = [
        part
        for name in ("events", "item_properties_part1", "category_tree")
        for part in ("--sample", folder / f"{name}.csv")
    ]
    result = _map(*samples, "--output", tmp_path / "sub" / "rr.yaml")
    assert result.exit_code == 0
    assert result.stdout == ""
    mapping = SourceMapping.from_yaml(tmp_path / "sub" / "rr.yaml")
    assert mapping.items is not None
    assert mapping.items.category_path is not None
    assert mapping.items.category_path.tree is not None


def test_json_is_one_document() -> None:
    result = _map("--sample", FIXTURES / "jdata" / "JData_Action_201602.csv", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert yaml.safe_load(found["yaml"])["streams"][0]["fields"]["item"] == "sku_id"
    assert SourceMapping.from_values(found["mapping"], source="json").name == "JData_Action_201602"
    assert {finding["role"] for finding in found["findings"]} >= {"user", "time", "action", "item", "category_path"}
    assert found["check"]["used"] == 6
    assert found["check"]["set_aside"] == {"bad_time": 1, "ignored_action": 1, "missing_user": 1, "unknown_action": 1}


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_without_a_user_it_ends_with_2_and_says_why(as_json: list[str]) -> None:
    result = _map("--sample", FIXTURES / "retailrocket" / "category_tree.csv", *as_json)
    assert result.exit_code == 2
    assert "no column that could be the user or the time among categoryid, parentid" in result.stderr


def test_a_draft_with_which_no_row_can_be_read_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("user_id,time,event_type\n1,2024-01-01 10:00:00,17\n1,2024-01-01 10:00:01,17\n")
    result = _map("--sample", tmp_path / "x.csv")
    assert result.exit_code == 2
    assert "could not tell what '17' means" in result.stderr
    assert "no row can be read with this draft" in result.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    result = _map("--sample", tmp_path / "nothing.csv")
    assert result.exit_code == 2
    assert "nothing.csv" in result.stderr


def test_help_has_examples() -> None:
    result = _map("--help")
    assert result.exit_code == 0
    assert "map --sample events.csv --sample products.csv" in result.stdout
