import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.util import examples_utils
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, channel_utils, standard_artifacts
from tiny_saved_model import save_tiny_model, write_examples

from components.evaluation_results import read_metrics
from components.evaluator import Evaluator, GatedExecutor
from interest_migration.gates.settings import GateSettings
from interest_migration.gates.verdict import Verdict
from interest_migration.serving.versions import digest_files
from schemas.features import (
    CUT_TIME,
    HORIZON_OBSERVED,
    LIFETIME_EVENTS,
    RAW_FEATURES,
    RECENCY,
    SLICE_ACTION,
    SWITCHED,
    TENURE,
    USER_ATTRIBUTES,
    Shape,
)

RANKED, UNKNOWN = {HORIZON_OBSERVED["short"]: 1}, {HORIZON_OBSERVED["short"]: 0}


def example(churn: int | None, probability: float, measure: float, **features: Any) -> dict[str, Any]:
    label = {} if churn is None else {"churn_short": churn}
    base = {RECENCY: probability, TENURE: measure, CUT_TIME: 1, LIFETIME_EVENTS: 1.0, SLICE_ACTION: "view"}
    return {**base, **RANKED, **label, **features}


ROWS = [
    example(1, 0.9, 1.0, **{SWITCHED: 1, USER_ATTRIBUTES: ["age=25", "kids=0"]}),
    example(0, 0.2, 0.5, **{SWITCHED: 0, USER_ATTRIBUTES: ["age=25"], SLICE_ACTION: "purchase"}),
    example(0, 0.9, 0.0, **{SWITCHED: 1, CUT_TIME: 2}),
    example(1, 0.4, 0.5, **{LIFETIME_EVENTS: 2.0}),
    example(None, 1.0, 9.0, **UNKNOWN),
]
"""Churn: positives at .9 and .4, negatives at .2 and .9. Ranking measures of known rows: 1, .5, 0, .5."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("evaluator")
    write_examples(root / "examples" / "Split-test" / "data-0.gz", ROWS[:2])
    write_examples(root / "examples" / "Split-test" / "data-1.gz", ROWS[2:])
    save_tiny_model(root / "model" / "Format-Serving")
    save_tiny_model(root / "served" / "7", bias=0.25)
    kinds = {"string": schema_pb2.BYTES, "int64": schema_pb2.INT, "float32": schema_pb2.FLOAT}
    schema = schema_pb2.Schema(represent_variable_length_as_ragged=True)
    for spec in RAW_FEATURES:
        feature = schema.feature.add(name=spec.name, type=kinds[spec.dtype])
        feature.value_count.min = 0
        if spec.shape is Shape.SCALAR:
            feature.value_count.max = 1
    (root / "schema").mkdir()
    (root / "schema" / "schema.pbtxt").write_text(text_format.MessageToString(schema))
    return root


def evaluate(
    inputs: Path, outputs: Path, rules: list[Mapping[str, Any]], served: bool = False
) -> tuple[Verdict, standard_artifacts.ModelBlessing]:
    examples, model, version, schema = (
        standard_artifacts.Examples(),
        standard_artifacts.Model(),
        standard_artifacts.Model(),
        standard_artifacts.Schema(),
    )
    examples.uri, model.uri, schema.uri = (str(inputs / name) for name in ("examples", "model", "schema"))
    examples.split_names = artifact_utils.encode_split_names(["test"])
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(examples, "tfrecords_gzip")
    version.set_int_custom_property("found", int(served))
    if served:
        version.uri = str(inputs / "served" / "7")
        version.set_int_custom_property("version", 7)
    evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
    evaluation.uri, blessing.uri = str(outputs / "evaluation"), str(outputs / "blessing")
    gates = {"slices": [SWITCHED, SLICE_ACTION, USER_ATTRIBUTES], "rules": [{"name": "rule", **r} for r in rules]}
    context = BaseBeamExecutor.Context(
        beam_pipeline_args=["--runner=FnApiRunner"], tmp_dir=str(outputs / "tmp"), unique_id="1"
    )
    GatedExecutor(context).Do(
        {"examples": [examples], "model": [model], "baseline_model": [version], "schema": [schema]},
        {"evaluation": [evaluation], "blessing": [blessing]},
        {"gates": GateSettings.from_values(gates, source="gates").model_dump_json(), "code": ""},
    )
    return Verdict.from_json(json.loads((outputs / "blessing" / "verdict.json").read_text())), blessing


CHURN = {"task": "churn_short", "metric": "auc"}
NEXT = {"task": "next_category", "metric": "hit_at_5"}


def test_metrics_and_a_blessing(inputs: Path, tmp_path: Path) -> None:
    verdict, blessing = evaluate(inputs, tmp_path, [{**CHURN, "at_least": 0.6}, {**NEXT, "at_least": 0.5}])
    assert verdict == Verdict(blessed=True, reasons=(), excused=())
    assert blessing.get_int_custom_property("blessed") == 1
    assert sorted(path.name for path in Path(blessing.uri).iterdir()) == ["BLESSED", "verdict.json"]
    metrics = read_metrics(str(tmp_path / "evaluation"))
    churn = metrics[()]["churn_short"]
    # Pairs (positive, negative): .9 > .2, .9 = .9, .4 > .2, .4 < .9.
    assert churn["auc"] == pytest.approx(2.5 / 4)
    assert churn["example_count"] == 4
    assert churn["accuracy"] == pytest.approx(2 / 4)
    assert metrics[()]["next_category"]["hit_at_5"] == pytest.approx(2.0 / 4)
    # (label, prediction): 1 1, 1 1, 2 1, 1 2.
    assert metrics[()]["next_category"]["accuracy"] == pytest.approx(2 / 4)
    assert metrics[()]["next_category"]["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)
    assert metrics[()]["churn_long"]["example_count"] == 0


def test_slices(inputs: Path, tmp_path: Path) -> None:
    evaluate(inputs, tmp_path, [{**CHURN, "at_least": 0.1}])
    metrics = read_metrics(str(tmp_path / "evaluation"))
    counts = {key: tasks["next_category"]["example_count"] for key, tasks in metrics.items()}
    assert counts == {
        (): 4,
        (("switched", "0"),): 1,
        (("switched", "1"),): 2,
        (("slice_action", "view"),): 3,
        (("slice_action", "purchase"),): 1,
        (("user_attributes", "age=25"),): 2,
        (("user_attributes", "kids=0"),): 1,
    }
    assert metrics[("switched", "1"),]["next_category"]["hit_at_5"] == pytest.approx(0.5)


def test_refusal_with_reasons(inputs: Path, tmp_path: Path) -> None:
    rules = [
        {**CHURN, "at_least": 0.7},
        {**NEXT, "at_least": 0.6, "slices": ["switched=1", "slice_platform=web"]},
        {"task": "churn_long", "metric": "auc", "at_least": 0.5},
        {"task": "churn_long", "metric": "accuracy", "at_least": 0.5, "when_undefined": "pass"},
    ]
    verdict, blessing = evaluate(inputs, tmp_path, rules)
    assert blessing.get_int_custom_property("blessed") == 0
    assert sorted(path.name for path in Path(blessing.uri).iterdir()) == ["NOT_BLESSED", "verdict.json"]
    assert verdict.reasons == (
        "rule: expected auc of churn_long in all examples (0 known labels) to be at least 0.5, received undefined",
        "rule: expected auc of churn_short in all examples (4 known labels) to be at least 0.7, received 0.6250",
        "rule: expected hit_at_5 of next_category in slice_platform=web (0 known labels) to be at least 0.6, "
        "received undefined",
        "rule: expected hit_at_5 of next_category in switched=1 (2 known labels) to be at least 0.6, received 0.5000",
    )
    assert len(verdict.excused) == 1


def test_change_against_the_served_model(inputs: Path, tmp_path: Path) -> None:
    rules = [{**NEXT, "no_worse_than_served_by": 0.2}, {**CHURN, "no_worse_than_served_by": 0.0}]
    verdict, _ = evaluate(inputs, tmp_path, rules, served=True)
    assert verdict.served_version == 7
    assert verdict.reasons == (
        "rule: expected change of hit_at_5 of next_category in all examples (4 known labels) against the served model "
        "to be at least -0.2, received -0.2500",
    )
    served = read_metrics(str(tmp_path / "evaluation"), "baseline")
    assert served[()]["next_category"]["hit_at_5"] == pytest.approx(0.75)


def test_the_served_model_survives_the_removal_of_temporary_files(inputs: Path, tmp_path: Path) -> None:
    before = digest_files(inputs / "served" / "7")
    evaluate(inputs, tmp_path, [{**NEXT, "no_worse_than_served_by": 0.3}], served=True)
    fileio.rmtree(str(tmp_path / "tmp"))  # as the launcher does
    assert digest_files(inputs / "served" / "7") == before


def test_the_first_model_is_not_judged_by_changes(inputs: Path, tmp_path: Path) -> None:
    verdict, blessing = evaluate(inputs, tmp_path, [{**NEXT, "no_worse_than_served_by": 0.0}])
    assert verdict == Verdict(blessed=True, reasons=(), excused=(), served_version=None)
    assert blessing.get_int_custom_property("blessed") == 1


def test_construction() -> None:
    def channel(kind: type) -> Any:
        return channel_utils.as_channel([kind()])

    evaluator = Evaluator(
        examples=channel(standard_artifacts.Examples),
        model=channel(standard_artifacts.Model),
        served_model=channel(standard_artifacts.Model),
        schema=channel(standard_artifacts.Schema),
        gates="{}",
        code="abc",
    )
    assert evaluator.outputs["blessing"].type is standard_artifacts.ModelBlessing
    assert evaluator.exec_properties == {"gates": "{}", "code": "abc"}
