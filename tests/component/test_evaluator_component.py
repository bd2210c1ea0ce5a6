import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.util import examples_utils
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, channel_utils, standard_artifacts
from tiny_saved_model import save_tiny_model, write_examples

from components.evaluation_results import Metrics, read_metrics
from components.evaluator import Evaluator, SlicedExecutor
from interest_migration.gates.evaluation import build_eval_config
from interest_migration.gates.settings import GateSettings
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


def evaluate(inputs: Path, outputs: Path) -> Metrics:
    examples, model, schema = standard_artifacts.Examples(), standard_artifacts.Model(), standard_artifacts.Schema()
    examples.uri, model.uri, schema.uri = (str(inputs / name) for name in ("examples", "model", "schema"))
    examples.split_names = artifact_utils.encode_split_names(["test"])
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(examples, "tfrecords_gzip")
    evaluation = standard_artifacts.ModelEvaluation()
    evaluation.uri = str(outputs / "evaluation")
    rule = {"name": "any", "task": "churn_short", "metric": "auc", "at_least": 0.1}
    gates = GateSettings.from_values(
        {"slices": [SWITCHED, SLICE_ACTION, USER_ATTRIBUTES], "rules": [rule]}, source="gates"
    )
    context = BaseBeamExecutor.Context(
        beam_pipeline_args=["--runner=FnApiRunner"], tmp_dir=str(outputs / "tmp"), unique_id="1"
    )
    SlicedExecutor(context).Do(
        {"examples": [examples], "model": [model], "schema": [schema]},
        {"evaluation": [evaluation]},
        {"eval_config": json.dumps(build_eval_config(gates)), "code": "abc"},
    )
    return read_metrics(evaluation.uri)


def test_metrics(inputs: Path, tmp_path: Path) -> None:
    metrics = evaluate(inputs, tmp_path)
    churn = metrics[()]["churn_short"]
    # Pairs (positive, negative): .9 > .2, .9 = .9, .4 > .2, .4 < .9.
    assert churn["auc"] == pytest.approx(2.5 / 4)
    assert churn["example_count"] == 4
    assert churn["accuracy"] == pytest.approx(2 / 4)
    assert churn["brier"] == pytest.approx((0.1**2 + 0.2**2 + 0.9**2 + 0.6**2) / 4)
    assert metrics[()]["next_category"]["hit_at_5"] == pytest.approx(2.0 / 4)
    # (label, prediction): 1 1, 1 1, 2 1, 1 2.
    assert metrics[()]["next_category"]["accuracy"] == pytest.approx(2 / 4)
    assert metrics[()]["next_category"]["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)
    assert metrics[()]["churn_long"]["example_count"] == 0


def test_slices(inputs: Path, tmp_path: Path) -> None:
    metrics = evaluate(inputs, tmp_path)
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


def test_construction() -> None:
    def channel(kind: type) -> Any:
        return channel_utils.as_channel([kind()])

    evaluator = Evaluator(
        examples=channel(standard_artifacts.Examples),
        model=channel(standard_artifacts.Model),
        schema=channel(standard_artifacts.Schema),
        eval_config="{}",
        code="abc",
    )
    assert evaluator.outputs["evaluation"].type is standard_artifacts.ModelEvaluation
    assert evaluator.exec_properties == {"eval_config": "{}", "code": "abc"}
