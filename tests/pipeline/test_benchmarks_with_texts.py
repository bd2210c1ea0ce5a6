"""The commands `benchmark cold-items` and `benchmark across-platforms`, without training."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import pipeline.across_platforms
import pipeline.cold_items
from interest_migration.across_platforms.experiment import TransferResult
from interest_migration.cold_items.scoring import Ranked
from interest_migration.evaluation.bootstrap import Estimate
from pipeline.cli import main

CONFIG = """
name: shop
workspace: work
data: {mapping: mapping.yaml}
gates: gates.yaml
"""
METHODS = {
    "text": {"hr_at_10": Estimate(0.3, 0.28, 0.32), "ndcg_at_10": Estimate(0.1, 0.09, 0.11)},
    "chance": {"hr_at_10": Estimate(0.01, None, None), "ndcg_at_10": Estimate(0.002, None, None)},
}
LEAD = {"chance": {"hr_at_10": Estimate(0.29, 0.27, 0.31), "ndcg_at_10": Estimate(0.098, 0.09, 0.1)}}


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["benchmark", *map(str, arguments)])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path / "config.yaml"


def test_new_items_are_printed_with_the_lead_of_the_texts(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = Ranked(200, 90, 80, METHODS, LEAD)
    monkeypatch.setattr(pipeline.cold_items, "rank_cold_items", lambda *_, **__: [result])
    printed = invoke("cold-items", "--config", config).output
    assert "200 items held out, 90 examples of 80 users ask for them" in printed
    assert "+0.2900" in printed
    found = json.loads(invoke("cold-items", "--config", config, "--json").stdout)
    assert found["differences"]["chance"]["hr_at_10"] == {"value": 0.29, "low": 0.27, "high": 0.31}


def test_several_draws_are_averaged(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rank(loaded: object, share: float, sample: float, seeds: Sequence[int], trained: bool) -> list[Ranked]:
        assert not trained
        lift = {key: replace(value, value=value.value + 0.1) for key, value in LEAD["chance"].items()}
        leads = [{"chance": lift} if seed % 2 else LEAD for seed in seeds]
        return [Ranked(200, 90, 80, METHODS, lead) for lead in leads]

    monkeypatch.setattr(pipeline.cold_items, "rank_cold_items", rank)
    command = ("cold-items", "--config", config, "--seed", "4", "--draws", "4", "--untrained")
    assert "Means of 4 draws of items" in invoke(*command).output
    found = json.loads(invoke(*command, "--json").stdout)
    assert len(found["draws"]) == 4
    lead = found["differences"]["chance"]["hr_at_10"]
    half = 3.18244630528371 * np.std([0, 0.1, 0, 0.1], ddof=1) / 2  # of a t table: 3 degrees of freedom
    assert list(lead.values()) == pytest.approx([0.34, 0.34 - half, 0.34 + half])


@pytest.mark.parametrize("second", [True, False])
def test_the_target_is_a_second_platform_or_half_of_the_first(
    config: Path, monkeypatch: pytest.MonkeyPatch, second: bool
) -> None:
    calls = []

    def rank(source: object, *arguments: object) -> TransferResult:
        calls.append(arguments)
        return TransferResult(200, 90, 80, METHODS, LEAD, 1000)

    monkeypatch.setattr(pipeline.across_platforms, "rank_across_platforms", rank)
    target = ("--target", config) if second else ()
    printed = invoke("across-platforms", "--source", config, *target, "--cut", "departments", "--seed", "3").output
    assert "Trained on 1,000 examples of the source; 200 items of the target" in printed
    assert [(arguments[0] is not None, *arguments[1:]) for arguments in calls] == [(second, "departments", 1.0, 3)]


@pytest.mark.parametrize("command", [("cold-items", "--config"), ("across-platforms", "--source")])
def test_a_finished_run_is_needed(config: Path, command: tuple[str, str]) -> None:
    result = invoke(*command, config)
    assert result.exit_code == 2
    assert "expected a finished run" in result.output
