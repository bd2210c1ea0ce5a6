from pathlib import Path

import pytest
import yaml

from interest_migration.errors import ConfigError
from interest_migration.gates.settings import GateSettings, split_slice

RULE = {"name": "churn", "task": "churn_short", "metric": "auc", "at_least": 0.7}


def read(**changes: object) -> GateSettings:
    return GateSettings.from_values({"rules": [{**RULE, **changes}]}, source="gates.yaml")


def test_valid_file(tmp_path: Path) -> None:
    path = tmp_path / "gates.yaml"
    path.write_text(yaml.safe_dump({"slices": ["switched"], "rules": [RULE]}))
    gates = GateSettings.from_yaml(path)
    assert gates.slices == ("switched",)
    assert gates.rules[0].at_least == 0.7
    assert gates.rules[0].when_undefined == "refuse"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "chrun_short"}, r"rules\.0\.task: .*expected one of churn_short, .* received 'chrun_short'"),
        ({"metric": "hit_at_5"}, r"expected a metric of churn_short: auc, "),
        ({"at_least": None}, r"expected at_least, at_most, .* or max_gap, received none"),
        ({"at_least": 0.9, "at_most": 0.1}, r"expected at_least <= at_most"),
        ({"slices": ["colour=red"]}, r"rules\.0\.slices: .*expected columns of switched, "),
        ({"when_undefined": "maybe"}, r"rules\.0\.when_undefined: .*'pass' or 'refuse'"),
        ({"no_worse_than_served_by": -0.1}, r"rules\.0\.no_worse_than_served_by"),
        ({"metric": "calibration", "no_worse_than_served_by": 0.1}, r"expected at_least and at_most for calibration"),
        ({"metric": "calibration", "lift_over_baseline": {}}, r"expected at_least and at_most for calibration"),
        ({"max_gap": 0.1}, r"expected slices for max_gap, received none"),
        ({"judge_by": "eye"}, r"rules\.0\.judge_by: .*'interval' or 'value'"),
        ({"when_undecided": "wait"}, r"rules\.0\.when_undecided: .*'pass' or 'refuse'"),
        ({"lift_over_baseline": {"above": 0.1}}, r"rules\.0\.lift_over_baseline\.above: Extra inputs"),
        ({"atleast": 0.5}, r"rules\.0\.atleast: Extra inputs"),
    ],
)
def test_wrong_rule_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=r"gates\.yaml: ") as error:
        read(**changes)
    assert error.match(message)


def test_a_file_without_rules_is_refused() -> None:
    with pytest.raises(ConfigError, match="rules"):
        GateSettings.from_values({"rules": []}, source="gates.yaml")


def test_slices_must_exist() -> None:
    with pytest.raises(ConfigError, match=r"slices: .*expected columns of switched"):
        GateSettings.from_values({"slices": ["user"], "rules": [RULE]}, source="gates.yaml")


def test_the_user_and_the_labels_are_no_slices() -> None:
    with pytest.raises(ConfigError):
        read(slices=["cut_time_s"])


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("switched", ("switched", None)),
        ("switched=1", ("switched", "1")),
        ("user_attributes=age=25-34", ("user_attributes", "age=25-34")),
        ("slice_platform=", ("slice_platform", "")),
    ],
)
def test_split_slice(name: str, parts: tuple[str, str | None]) -> None:
    assert split_slice(name) == parts


@pytest.mark.parametrize("name", ["gates.yaml", "gates-taobao.yaml"])
def test_shipped_gates_are_valid(name: str) -> None:
    gates = GateSettings.from_yaml(Path(__file__).parents[3] / "configs" / name)
    assert gates.rules
