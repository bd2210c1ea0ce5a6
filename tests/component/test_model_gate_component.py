"""The model gate on tiny models whose answers are planted in the examples (tests/support/tiny_saved_model.py)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measure_tables import table
from tfx.types import channel_utils, standard_artifacts
from tiny_saved_model import save_tiny_model, write_examples

from components import artifacts
from components.decisions import DECISION_FILE
from components.model_gate import ModelGate
from interest_migration.errors import DataError
from interest_migration.evaluation.measures import Measures
from interest_migration.gates.decision import Decision
from interest_migration.model.evaluated import evaluate_model, match_examples, without_keys
from schemas.features import CUT_TIME, HORIZON_OBSERVED, LIFETIME_EVENTS, RECENCY, TENURE, USER

ROWS = [
    {USER: "b", CUT_TIME: 5, RECENCY: 0.9, TENURE: 1.0, LIFETIME_EVENTS: 5.0, "churn_short": 1},
    {USER: "a", CUT_TIME: 7, RECENCY: 0.2, TENURE: 0.5, LIFETIME_EVENTS: 1.0, "churn_short": 0},
    {USER: "a", CUT_TIME: 6, RECENCY: 0.4, TENURE: 0.25, LIFETIME_EVENTS: 6.0, HORIZON_OBSERVED["short"]: 0},
]
HIT = {"name": "hits", "task": "next_category", "metric": "hit_at_5"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gate")
    write_examples(root / "raw" / "Split-test" / "data-0.gz", ROWS[:2])
    write_examples(root / "raw" / "Split-test" / "data-1.gz", ROWS[2:])
    save_tiny_model(root / "model")
    save_tiny_model(root / "served" / "7", bias=0.25)
    return root


def raw_files(place: Path) -> list[str]:
    return sorted(map(str, (place / "raw" / "Split-test").iterdir()))


def test_a_model_is_measured_on_raw_examples(place: Path) -> None:
    columns = evaluate_model(str(place / "model"), raw_files(place), "model", batch_size=2)
    assert columns[USER].tolist() == [b"b", b"a", b"a"]
    np.testing.assert_allclose(columns["churn_short/model/score"], [0.9, 0.2, np.nan], rtol=1e-6)
    np.testing.assert_allclose(columns["next_item/model/hit_at_10"], [1.0, 0.5, np.nan])
    np.testing.assert_allclose(columns["next_category/model/predicted"], [5, 1, np.nan])
    np.testing.assert_allclose(columns["next_category/model/true"], [5, 7, np.nan])
    assert USER not in without_keys(columns)


def test_raw_examples_are_found_among_transformed_ones(place: Path) -> None:
    columns = evaluate_model(str(place / "model"), raw_files(place), "model")
    users, times = np.array([b"a", b"a", b"b"], object), np.array([6, 7, 5])
    assert match_examples(columns, users, times).tolist() == [2, 1, 0]
    with pytest.raises(DataError, match="expected the same examples raw and transformed"):
        match_examples(columns, users, times + 1)
    with pytest.raises(DataError, match="received 3 and 2"):
        match_examples(columns, users[:2], times[:2])


@pytest.mark.parametrize("model", ["absent", "raw"])
def test_what_is_no_model_is_named(place: Path, model: str) -> None:
    with pytest.raises(DataError, match=rf"expected a model with the signatures evaluate .*{model}"):
        evaluate_model(str(place / model), raw_files(place), "model")


def judged(
    place: Path, outputs: Path, *rules: dict[str, Any], served: str = "", times: tuple[int, ...] = (5, 7, 6)
) -> tuple[Decision, standard_artifacts.ModelBlessing]:
    columns = without_keys(evaluate_model(str(place / "model"), raw_files(place), "model"))
    made = table([0, 1, 1], columns)
    (outputs / "comparison").mkdir(parents=True)
    Measures(made.users, np.array(times), made.slices, made.values).write(outputs / "comparison")
    comparison, raw, version = artifacts.Comparison(), standard_artifacts.Examples(), standard_artifacts.Model()
    decision, blessing = artifacts.Decision(), standard_artifacts.ModelBlessing()
    comparison.uri, decision.uri = str(outputs / "comparison"), str(outputs / "decision")
    raw.uri, blessing.uri = str(place / "raw"), str(outputs / "blessing")
    version.set_int_custom_property("found", int(bool(served)))
    if served:
        version.uri = str(place / "served" / served)
        version.set_int_custom_property("version", 7)
    ModelGate.EXECUTOR_SPEC.executor_class().Do(
        {"comparison": [comparison], "raw_examples": [raw], "served_model": [version]},
        {"decision": [decision], "blessing": [blessing]},
        {"gates": json.dumps({"rules": rules}), "code": "abc"},
    )
    text = (outputs / "decision" / DECISION_FILE).read_text()
    return Decision.from_json(json.loads(text)), blessing


def test_a_model_that_holds_is_blessed(place: Path, tmp_path: Path) -> None:
    decision, blessing = judged(place, tmp_path, HIT | {"at_least": 0.7, "at_most": 0.8})
    assert decision.passed
    assert blessing.get_int_custom_property("blessed") == 1
    assert [path.name for path in (tmp_path / "blessing").iterdir()] == ["BLESSED"]


def test_a_model_that_does_not_hold_is_refused_with_the_reason(place: Path, tmp_path: Path) -> None:
    decision, blessing = judged(place, tmp_path, HIT | {"at_least": 0.8})
    assert "to be at least 0.8, received 0.7500" in decision.reasons[0]
    assert blessing.get_int_custom_property("blessed") == 0
    assert [path.name for path in (tmp_path / "blessing").iterdir()] == ["NOT_BLESSED"]


def test_the_served_model_is_measured_on_the_same_examples(place: Path, tmp_path: Path) -> None:
    rule = HIT | {"no_worse_than_served_by": 0.2, "judge_by": "value"}
    decision, _ = judged(place, tmp_path, rule, served="7")
    assert decision.served_version == 7
    assert decision.checks[0].value == pytest.approx(-0.25)
    assert not decision.passed
    kept = Measures.read(tmp_path / "decision")
    np.testing.assert_allclose(kept.values["next_category/served/hit_at_5"], [1.25, 0.75, np.nan])


def test_a_served_model_that_cannot_be_measured_is_noted(place: Path, tmp_path: Path) -> None:
    decision, _ = judged(place, tmp_path, HIT | {"no_worse_than_served_by": 0.2}, served="absent")
    assert decision.notes[-1].startswith("the served model was not measured: expected a model with the signatures")
    assert not decision.passed


def test_other_examples_than_those_of_the_comparison_are_an_error(place: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected the examples of the comparison"):
        judged(place, tmp_path, HIT | {"at_least": 0.1}, served="7", times=(1, 2, 3))


def test_construction() -> None:
    gate = ModelGate(
        comparison=channel_utils.as_channel([artifacts.Comparison()]),
        raw_examples=channel_utils.as_channel([standard_artifacts.Examples()]),
        served_model=channel_utils.as_channel([standard_artifacts.Model()]),
        gates="{}",
        code="abc",
    )
    assert gate.outputs["blessing"].type is standard_artifacts.ModelBlessing
    assert gate.outputs["decision"].type is artifacts.Decision
