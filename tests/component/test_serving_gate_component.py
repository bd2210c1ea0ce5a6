"""The serving gate on an exported model, whole and spoilt, and what the Pusher makes of it."""

import json
import shutil
from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.serving_gate import ServingGate, _Executor
from interest_migration.gates.decision import CheckVerdict, Decision
from interest_migration.serving.gate_settings import ServingGateSettings
from interest_migration.serving.warm_up import read_warm_ups
from schemas.signatures import COLUMN_SIGNATURES, EMBED_NAMES, EXPLAIN, PATHS, SERVE

LENIENT = ServingGateSettings(examples=40, calls=10, p50_ms=1e4, p99_ms=1e5, memory_megabytes=1e5)


def judge(exported_run, tmp_path, model, settings=LENIENT):
    """Runs the component's executor; returns the decision and the blessing."""
    folder = Path(exported_run["arguments"].serving_model_dir).parent
    inputs, outputs = {}, {}
    places = {"model": tmp_path, "raw_examples": folder, "transformed_examples": folder / "transformed"}
    kinds = {"model": standard_artifacts.Model, "raw_examples": standard_artifacts.Examples}
    for name, place in places.items():
        artifact = kinds.get(name, standard_artifacts.Examples)()
        artifact.uri = str(place)
        inputs[name] = [artifact]
    for name, kind in (("decision", standard_artifacts.Model), ("blessing", standard_artifacts.InfraBlessing)):
        artifact = kind()
        artifact.uri = str(tmp_path / name)
        outputs[name] = [artifact]
    _Executor().Do(inputs, outputs, {"settings": settings.model_dump_json(), "code": ""})
    text = (tmp_path / "decision" / "decision.json").read_text()
    return Decision.from_json(json.loads(text)), outputs["blessing"][0]


@pytest.fixture
def model(exported_run, tmp_path):
    return Path(shutil.copytree(exported_run["arguments"].serving_model_dir, tmp_path / "Format-Serving"))


def test_an_exported_model_passes(exported_run, tmp_path, model):
    decision, blessing = judge(exported_run, tmp_path, model)
    assert decision.reasons == ()
    assert {check.verdict for check in decision.checks} == {CheckVerdict.PASSED}
    compared = " ".join(check.subject for check in decision.checks if check.rule == "skew")
    for what in ("the path of training", "predict and serving_default", "embed and predict", "explain_columns"):
        assert what in compared
    assert blessing.get_int_custom_property("blessed") == 1
    assert (Path(blessing.uri) / "INFRA_BLESSED").exists()


def test_a_model_with_a_foreign_vocabulary_is_refused_for_skew(exported_run, tmp_path, model):
    (model / "assets.extra" / "files.json").unlink()
    categories = model / "assets" / "categories"
    categories.write_text("\n".join(reversed(categories.read_text().split())) + "\n")
    decision, blessing = judge(exported_run, tmp_path, model)
    assert not decision.passed
    assert any("next_category and the path of training" in reason for reason in decision.reasons) or any(
        "serving_default" in reason for reason in decision.reasons
    )
    assert (Path(blessing.uri) / "INFRA_NOT_BLESSED").exists()


def test_a_half_copied_model_is_refused_before_it_is_loaded(exported_run, tmp_path, model):
    (model / "assets" / "items").unlink()
    decision, blessing = judge(exported_run, tmp_path, model)
    assert [check.rule for check in decision.checks] == ["files"]
    assert "assets/items, received none" in decision.reasons[0]
    assert blessing.get_int_custom_property("blessed") == 0


def test_warm_up_requests_cover_every_serving_signature_in_several_sizes(exported_run):
    sizes = {}
    for signature, inputs in read_warm_ups(Path(exported_run["arguments"].serving_model_dir)):
        sizes.setdefault(signature, []).append(len(next(iter(inputs.values()))))
    assert sizes.keys() == {SERVE, EXPLAIN, PATHS, EMBED_NAMES, *COLUMN_SIGNATURES}
    assert sizes[SERVE] == [1, 8, 64]


def test_the_component_names_what_it_reads():
    gate = ServingGate(
        model=standard_channel(standard_artifacts.Model),
        raw_examples=standard_channel(standard_artifacts.Examples),
        transformed_examples=standard_channel(standard_artifacts.Examples),
        settings=LENIENT.model_dump_json(),
        code="1",
    )
    assert set(gate.outputs) == {"decision", "blessing"}


def standard_channel(kind):
    from tfx.types import channel_utils

    return channel_utils.as_channel([kind()])
