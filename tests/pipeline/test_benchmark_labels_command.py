import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import pipeline.label_curve
from interest_migration.label_curve.results import LabelCurve, Point
from pipeline.cli import main

CONFIG = """
name: shop
workspace: work
data: {mapping: mapping.yaml}
gates: gates.yaml
"""
POINT = Point(0.05, "churn_short", "auroc", 40.0, 2, 0.61, 0.74, 0.13, 0.1, 0.16)
CURVE = LabelCurve((POINT,), ("share 1, seed 8",), 0.95, 300, 200, (12.0,))


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["benchmark", "labels", *map(str, arguments)])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path / "config.yaml"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    calls: list[tuple[object, ...]] = []

    def trace(config: object, *arguments: object) -> LabelCurve:
        calls.append(arguments)
        return CURVE

    monkeypatch.setattr(pipeline.label_curve, "trace_label_curve", trace)
    return calls


def test_the_curve_is_printed_and_drawn(config: Path, asked: list[tuple[object, ...]], tmp_path: Path) -> None:
    page = tmp_path / "curve.html"
    result = invoke("--config", config, "--share", "0.05", "--seeds", "2", "--budget-seconds", "60", "--output", page)
    assert result.exit_code == 0
    assert asked == [((0.05,), 2, 60.0)]
    assert "+0.130 (+0.100 to +0.160)" in result.output
    assert "Left out for lack of time: share 1, seed 8" in result.output
    assert "200 users" in page.read_text()


def test_json_holds_every_point(config: Path, asked: list[tuple[object, ...]]) -> None:
    result = invoke("--config", config, "--json")
    assert asked == [((0.01, 0.05, 0.1, 0.25, 1.0), 3, None)]
    assert json.loads(result.output) == json.loads(json.dumps(CURVE.to_json()))


def test_it_needs_a_finished_run(config: Path) -> None:
    result = invoke("--config", config)
    assert result.exit_code == 2
    assert "expected a finished run" in result.output


@pytest.mark.parametrize("share", ["0", "1.1"])
def test_shares_outside_the_range_end_with_2(config: Path, share: str) -> None:
    assert invoke("--config", config, "--share", share).exit_code == 2


def test_help_shows_examples() -> None:
    result = invoke("--help")
    assert "interest-migration benchmark labels --config configs/demo.yaml" in result.output
