"""A second span: compared with the first one's model, refused with drift in it, passed without.

Then the same spans from the compiled pipeline, as a cluster would run it: in this file, since both kinds of runs are
compared, and a file's tests share what they run.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from compiled_spans import CHURN, Compiled, log_of, run_compiled
from kfp_pods import Processes
from small_shop import RULE, call
from span_chain import WEEKS, Chain, run_chain
from span_shop import week

from interest_migration.evaluation.measures import Measures
from interest_migration.gates.judge import judge
from interest_migration.gates.settings import GateSettings

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return run_chain(tmp_path_factory.mktemp("span-shop"))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory, chain: Chain) -> Iterator[Compiled]:
    key = (chain.folder / "workspace" / "pseudonym.key").read_text().strip()
    with pytest.MonkeyPatch.context() as patch, Processes() as processes:
        yield run_compiled(tmp_path_factory.mktemp("kubeflow"), key, processes, patch)


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


def test_the_first_run_pushes_version_1_against_no_baseline(compiled: Compiled) -> None:
    assert compiled.first.state == "SUCCEEDED", log_of(compiled.first)
    verdict = compiled.note(compiled.first, "verdict.json")
    assert (verdict["state"], verdict["version"], verdict["exit_code"]) == ("pushed", 1, 0)
    assert compiled.note(compiled.first, "outcome.json")["served_before"] is None
    assert list(compiled.first.tasks)[-1] == "TellVerdict"


def test_the_next_span_is_judged_against_version_1(compiled: Compiled, chain: Chain) -> None:
    assert compiled.second.state == "SUCCEEDED", log_of(compiled.second)
    outcome = compiled.note(compiled.second, "outcome.json")
    local = json.loads(chain.second.stdout)
    assert outcome["served_before"] == local["decision"]["served_version"] == 1
    assert outcome["version"] == local["pushed"]["version"] == 2
    assert outcome["reasons"] == local["decision"]["reasons"] == []


def test_its_data_are_compared_with_those_of_the_first(compiled: Compiled) -> None:
    decision = json.loads((compiled.output(compiled.second, "DataGate", "decision") / "decision.json").read_text())
    assert any(note.startswith(f"Compared with: {week(WEEKS - 2)}") for note in decision["notes"])


def test_only_what_has_not_changed_is_answered_from_the_cache(compiled: Compiled) -> None:
    states = {name for name, task in compiled.second.tasks.items() if task.state == "CACHED"}
    assert states == {"ImportSchemaGen"}


@pytest.mark.parametrize("which", ["first", "second"])
def test_local_and_compiled_runs_measure_the_same(compiled: Compiled, chain: Chain, which: str) -> None:
    local = Path(json.loads(getattr(chain, which).stdout)["artifacts"]["comparison"])
    there = compiled.output(getattr(compiled, which), "Comparison", "comparison")
    ours, theirs = (json.loads((place / "comparison.json").read_text())["values"] for place in (local, there))
    assert len(ours) == len(theirs) > 50
    for mine, other in zip(ours, theirs, strict=True):
        numbers = {name for name, value in mine.items() if isinstance(value, float)}
        assert {k: v for k, v in mine.items() if k not in numbers} == {
            k: v for k, v in other.items() if k not in numbers
        }
        assert [mine[name] for name in numbers] == pytest.approx(
            [other[name] for name in numbers], abs=1e-6, nan_ok=True
        )


def test_with_other_peoples_events_the_run_fails_as_configured_and_pushes_nothing(compiled: Compiled) -> None:
    assert compiled.shuffled.state == "FAILED"
    assert {name for name, task in compiled.shuffled.tasks.items() if task.state == "FAILED"} == {"Verdict"}
    assert compiled.versions == ["1", "2"]
    verdict = compiled.note(compiled.shuffled, "verdict.json")
    assert (verdict["state"], verdict["exit_code"]) == ("refused by the model gate", 3)
    assert (verdict["orchestrator"], verdict["failed_step"]) == ("FAILED", "Verdict")
    assert any(reason.startswith("churn is told") for reason in verdict["reasons"])
    assert compiled.shuffled.tasks["TellVerdict"].state == "COMPLETE"
    assert "verdict: " in compiled.shuffled.tasks["TellVerdict"].log.read_text()


def test_the_gate_that_refused_it_would_have_passed_the_others(compiled: Compiled) -> None:
    rules = GateSettings.from_values({"rules": [RULE, CHURN]}, source="gates")
    measures = Measures.read(compiled.output(compiled.second, "ModelGate", "decision"))
    assert judge(measures, rules).passed


def test_the_ui_gets_page_numbers_and_curves(compiled: Compiled) -> None:
    outputs = compiled.second.tasks["RunReport"].outputs
    page = compiled.output(compiled.second, "RunReport", "report").read_text()
    assert "The model was pushed as version 2" in page
    assert "What could not be read" not in page
    assert f"span: {19358 + 7 * (WEEKS - 1)}" in page  # its own, though it was compiled for the first
    assert 0.5 < outputs["scalars"]["metadata"]["churn_short_auroc"] <= 1
    points = outputs["churn_short"]["metadata"]["confidenceMetrics"]["list"]
    assert points[-1]["recall"] == 1.0
    matrix = outputs["categories"]["metadata"]["confusionMatrix"]["struct"]
    assert len(matrix["rows"]) == len(matrix["annotationSpecs"]) > 2


def test_no_key_and_no_user_is_in_what_is_sent(compiled: Compiled) -> None:
    text = (compiled.folder / "pipeline.yaml").read_text()
    assert compiled.cluster.secrets["interest-migration"]["pseudonym-key"] not in text
    assert "customer-" not in text
