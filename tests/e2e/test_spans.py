"""A second span: compared with the first one's model, refused with drift in it, passed without."""

import json
from pathlib import Path
from typing import Any

import pytest
from small_shop import call
from span_chain import WEEKS, Chain
from span_shop import week

pytestmark = pytest.mark.e2e


def read_decision(run: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((run / "data_decision.json").read_text())
    return values


def test_a_first_span_is_learned_and_pushed(chain: Chain):
    assert chain.first.exit_code == 0, chain.first.output
    outcome = json.loads(chain.first.stdout)
    assert outcome["pushed"]["version"] == 1
    assert outcome["decision"]["served_version"] is None
    summary = json.loads((Path(outcome["artifacts"]["summary"]) / "summary.json").read_text())
    assert summary["late_events"] == 0
    assert read_decision(chain.runs[0])["passed"] is True


def test_drift_in_the_second_span_ends_with_3_names_the_field_and_nothing_is_trained(chain: Chain):
    assert chain.drifted.exit_code == 3, chain.drifted.output
    answer = json.loads(chain.drifted.stdout)
    assert "nothing was trained" in answer["error"]
    assert f"events: field price, newest span {week(WEEKS - 1)}" in answer["error"]
    decision = read_decision(chain.runs[1])
    assert [check["subject"] for check in decision["checks"] if check["verdict"] == "broken"] == ["field price"]
    assert decision["reasons"]
    assert not (chain.runs[1] / "outcome.json").exists()


def test_without_drift_it_passes_and_is_compared_with_the_first_ones_model(chain: Chain):
    assert chain.second.exit_code == 0, chain.second.output
    outcome = json.loads(chain.second.stdout)
    assert outcome["decision"]["served_version"] == 1
    assert outcome["pushed"]["version"] == 2
    notes = read_decision(chain.runs[2])["notes"]
    assert f"Data: {week(WEEKS - 1)} (span {19358 + 7 * (WEEKS - 1)})" in notes
    assert any(note.startswith(f"Compared with: {week(WEEKS - 2)}") for note in notes)


def test_only_the_two_good_spans_were_trained_on(chain: Chain):
    models = chain.folder / "workspace" / "artifacts" / "Trainer" / "model"
    assert len(list(models.iterdir())) == 2


def test_the_same_span_again_is_reused_and_nothing_is_pushed_twice(chain: Chain):
    assert chain.again.exit_code == 0, chain.again.output
    outcome = json.loads(chain.again.stdout)
    fresh = {name for name, step in outcome["steps"].items() if not step["cached"]}
    assert fresh <= {"ServedModel", "ModelGate", "Pusher"}
    assert outcome["pushed"]["is_new"] is False
    assert chain.versions == ["1", "2"]


def test_the_listing_names_the_runs_that_used_each_span(chain: Chain):
    rows = json.loads(call("spans", "--config", chain.folder / "config.yaml", "--json").stdout)["spans"]
    assert len(rows) == WEEKS
    assert {row["used_by"] for row in rows} == {chain.runs[3].name}
