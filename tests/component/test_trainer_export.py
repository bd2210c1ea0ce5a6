"""From raw examples to a served answer: transform, `run_fn`, and the exported model by itself."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from synthetic_examples import encode_example, make_example
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tfx.components.trainer.fn_args_utils import FnArgs
from tiny_checkpoint import WORDS, write_checkpoint

from components.text_vectors import ADAPTER_FILE, write_text_vectors
from components.trainer import run_fn
from interest_migration.errors import ConfigError
from interest_migration.examples.texts import ITEM_TEXTS, ITEM_TEXTS_SCHEMA
from interest_migration.language.settings import LanguageSettings
from interest_migration.language.text_encoder import TextEncoder
from interest_migration.language.text_vectors import TEXT_VECTORS_FILE, TextVectors
from interest_migration.model.manifest import MANIFEST_FILE
from interest_migration.model.scores import predict_scores
from interest_migration.training.base import vocabulary_values
from interest_migration.transform.vocabularies import ITEMS
from schemas.features import EVENT_CATEGORY, EVENT_ITEM, EVENT_TEXT, HORIZON_OBSERVED, RAW_FEATURES, Role
from schemas.signatures import (
    CHURN_PROBABILITY,
    CHURN_TASKS,
    CURRENT_CATEGORY,
    EVALUATE,
    EVALUATION_LABELS,
    EVENT_VECTORS,
    EXPLAIN,
    EXPLAINED_CATEGORY,
    EXPLAINED_SCORE,
    EXPLAINED_TASK,
    EXPLAINED_TASKS,
    FORECAST_CATEGORY,
    FORECAST_PROBABILITY,
    INTEREST,
    INTEREST_PROBABILITY,
    ITEM_SCORES,
    ITEM_VECTORS,
    MOVES,
    NEW_INTEREST,
    NEW_INTEREST_SHARE,
    NEXT_CATEGORY,
    NEXT_CATEGORY_PREDICTED,
    NEXT_CATEGORY_PROBABILITY,
    NEXT_ITEM,
    NEXT_ITEM_SCORE,
    PATH_BEAM,
    PATH_CATEGORY,
    PATH_KINDS,
    PATH_PROBABILITY,
    PATH_STEP_PROBABILITY,
    PATH_STEPS,
    PATHS,
    RANKING_TASKS,
    REASON_CATEGORY,
    REASON_CONTRIBUTION,
    REASON_EVENT,
    REASON_INTEREST,
    REASON_NUMBER_CONTRIBUTION,
    SCORE_ITEMS,
    SERVE,
    SWITCH_PROBABILITY,
    USER_EMBEDDING,
    label_key,
    measure_name,
    weight_key,
)

RANKED = (NEXT_CATEGORY, NEXT_ITEM, *INTEREST.values(), *NEW_INTEREST.values())
INPUTS = {spec.name for spec in RAW_FEATURES if spec.role is Role.INPUT}


@pytest.fixture(scope="module")
def run(exported_run):
    return exported_run


def answer(run, signature, examples):
    found = run["model"].signatures[signature](examples=examples)
    return {name: value.numpy() for name, value in found.items()}


def without_labels(example):
    """What a client sends: inputs alone, and no list that is empty."""
    return {name: values for name, values in example.items() if name in INPUTS and values}


def test_logs_lie_in_the_run_folder(run):
    names = {path.rsplit("/", 1)[-1] for path in tf.io.gfile.glob(run["arguments"].model_run_dir + "/*")}
    assert {"training.json", "tensorboard"} <= names


def test_serving_answers_in_names(run):
    found = answer(run, SERVE, run["test"])
    count = len(run["test"])
    shapes = {name: value.shape for name, value in found.items()}
    ranked = dict.fromkeys((*RANKED, NEXT_CATEGORY_PROBABILITY, NEXT_ITEM_SCORE), (count, 10))
    ranked |= dict.fromkeys((*INTEREST_PROBABILITY.values(), *NEW_INTEREST_SHARE.values()), (count, 10))
    single = dict.fromkeys((CURRENT_CATEGORY, SWITCH_PROBABILITY, *CHURN_PROBABILITY.values()), (count,))
    assert shapes == ranked | single | {USER_EMBEDDING: (count, 16)}
    assert {name.rsplit(b"-", 1)[0] for name in found[NEXT_CATEGORY].ravel()} == {b"category"}
    assert all(name.startswith(b"item-") for name in found[NEXT_ITEM].ravel())
    assert (np.diff(found[NEXT_CATEGORY_PROBABILITY]) <= 0).all()
    assert (found[NEXT_CATEGORY_PROBABILITY].sum(axis=1) <= 1.0001).all()


def test_serving_needs_no_labels_and_no_history(run):
    rng = np.random.default_rng(4)
    full, empty = make_example(rng, steps=8), make_example(rng, steps=0)
    both = answer(run, SERVE, tf.constant([encode_example(full), encode_example(empty)]))
    bare = answer(run, SERVE, tf.constant([encode_example(without_labels(e)) for e in (full, empty)]))
    for name, value in both.items():
        np.testing.assert_array_equal(bare[name], value)
    assert bare[CURRENT_CATEGORY][1] == b""
    assert np.isfinite(bare[USER_EMBEDDING]).all()


def score_items(run, examples, event_vectors, item_vectors):
    signature = run["model"].signatures[SCORE_ITEMS]
    vectors = {
        EVENT_VECTORS: tf.constant(event_vectors, tf.float32),
        ITEM_VECTORS: tf.constant(item_vectors, tf.float32),
    }
    return signature(examples=examples, **vectors)[ITEM_SCORES].numpy()


def test_items_are_scored_by_their_text(run):
    count, candidates = len(run["test"]), run["vectors"].items[1:6]
    scores = score_items(run, run["test"], np.zeros((count, 0, 6)), candidates)
    assert scores.shape == (count, 5)
    assert np.ptp(scores, axis=1).min() > 0
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1, rtol=1e-4)  # probabilities among the candidates


def test_new_items_of_a_history_are_read_by_their_text(run):
    made = make_example(np.random.default_rng(4), steps=3) | {EVENT_TEXT: []}
    made |= {EVENT_ITEM: ["never seen"] * len(made[EVENT_ITEM])}
    candidates = run["vectors"].items[1:6]
    given = candidates[:2, np.newaxis, np.newaxis] * np.ones((2, 1, len(made[EVENT_ITEM]), 1))
    examples = tf.constant([encode_example(without_labels(made))])
    first, second = (score_items(run, examples, vectors, candidates) for vectors in given)
    assert first[0, 0] > second[0, 0] + 0.1
    assert second[0, 1] > first[0, 1] + 0.1


def test_the_manifest_names_the_language_model(run):
    manifest = json.loads((Path(run["arguments"].serving_model_dir) / MANIFEST_FILE).read_text())
    assert manifest["provenance"]["language"] == "some encoder"


def test_unknown_values_are_answered(run):
    example = make_example(np.random.default_rng(6), steps=8)
    example = example | {EVENT_CATEGORY: ["never seen"] * len(example[EVENT_CATEGORY])}
    found = answer(run, SERVE, tf.constant([encode_example(without_labels(example))]))
    assert found[CURRENT_CATEGORY].tolist() == [b""]
    assert b"" not in found[NEXT_CATEGORY]


def test_answers_do_not_depend_on_the_batch(run):
    together = answer(run, SERVE, run["test"])
    alone = answer(run, SERVE, run["test"][3:4])
    assert alone[CURRENT_CATEGORY][0] == together[CURRENT_CATEGORY][3]
    np.testing.assert_allclose(alone[USER_EMBEDDING][0], together[USER_EMBEDDING][3], atol=1e-5)


def test_evaluation_returns_what_the_contract_names(run):
    measures = {measure_name(task, name) for task, names in RANKING_TASKS.items() for name in names}
    assert set(answer(run, EVALUATE, run["test"])) == {*measures, *CHURN_TASKS, NEXT_CATEGORY_PREDICTED}
    labels = answer(run, EVALUATION_LABELS, run["test"])
    assert set(labels) == {key(task) for task in (*CHURN_TASKS, *RANKING_TASKS) for key in (label_key, weight_key)}
    assert all(value.dtype == np.float32 and value.shape == (len(run["test"]),) for value in labels.values())


def test_measures_agree_with_the_served_answers(run):
    served, measured = answer(run, SERVE, run["test"]), answer(run, EVALUATE, run["test"])
    labels = answer(run, EVALUATION_LABELS, run["test"])
    truth = [
        set(tf.train.Example.FromString(bytes(record)).features.feature["next_categories"].bytes_list.value)
        for record in run["test"].numpy()
    ]
    known = np.array([bool(names) for names in truth])
    np.testing.assert_array_equal(labels[weight_key("next_category")] > 0, known)
    hits = [bool(names & set(best[:5])) for names, best in zip(truth, served[NEXT_CATEGORY], strict=True)]
    np.testing.assert_array_equal(measured["next_category_hit_at_5"][known] > 0, np.array(hits)[known])
    np.testing.assert_allclose(measured["churn_long"], served[CHURN_PROBABILITY["long"]], atol=1e-6)


def test_unknown_labels_weigh_nothing(run):
    unknown = make_example(np.random.default_rng(8), known=False)
    labels = answer(run, EVALUATION_LABELS, tf.constant([encode_example(unknown)]))
    assert unknown[HORIZON_OBSERVED["long"]] == [0]
    assert {name: float(value[0]) for name, value in labels.items()} == dict.fromkeys(labels, 0.0)


def test_scores_of_transformed_examples_agree_with_the_served_answers(run):
    served = answer(run, SERVE, run["test"])
    scores = predict_scores(run["arguments"].serving_model_dir, run["transformed"], batch_size=32)
    # The transform may reorder examples, so they are compared as sets.
    for horizon, name in CHURN_PROBABILITY.items():
        np.testing.assert_allclose(np.sort(scores[f"churn_{horizon}"]), np.sort(served[name]), atol=1e-5)
    assert scores["propensity_short"].shape == (len(run["test"]), 12)


def test_explanations_are_about_the_served_answers(run):
    served, found = answer(run, SERVE, run["test"][:4]), answer(run, EXPLAIN, run["test"][:4])
    assert found[EXPLAINED_TASK].astype(str).tolist() == [list(EXPLAINED_TASKS)] * 4
    for task, values in (("churn_long", CHURN_PROBABILITY), ("propensity_long", INTEREST_PROBABILITY)):
        expected = served[values["long"]] if task == "churn_long" else served[values["long"]][:, 0]
        np.testing.assert_allclose(found[EXPLAINED_SCORE][:, EXPLAINED_TASKS.index(task)], expected, atol=1e-5)
    names = found[EXPLAINED_CATEGORY][:, EXPLAINED_TASKS.index("next_category")]
    assert names.tolist() == served[NEXT_CATEGORY][:, 0].tolist()
    again = answer(run, EXPLAIN, run["test"][:4])
    assert all(np.array_equal(again[name], value) for name, value in found.items())


def test_events_are_ranked_by_what_the_answer_is_without_them(run):
    example = make_example(np.random.default_rng(3), steps=8)
    found = answer(run, EXPLAIN, tf.constant([encode_example(without_labels(example))]))
    ranked = found[REASON_EVENT][0, 0]
    known = ranked[ranked >= 0]
    assert sorted(known.tolist()) == sorted(set(known.tolist()))
    assert found[REASON_CATEGORY][0, 0, 0].decode() == example[EVENT_CATEGORY][known[0]]
    sizes = np.abs(found[REASON_CONTRIBUTION][0])
    assert (np.diff(sizes, axis=1) <= 0).all()
    assert sizes[:, 0].all()


def test_an_empty_history_and_unknown_categories_are_explained(run):
    empty, strange = make_example(np.random.default_rng(1), steps=0), make_example(np.random.default_rng(6), steps=8)
    strange |= {EVENT_CATEGORY: ["never seen"] * len(strange[EVENT_CATEGORY])}
    found = answer(run, EXPLAIN, tf.constant([encode_example(without_labels(each)) for each in (empty, strange)]))
    assert (found[REASON_EVENT][0] == -1).all()
    assert not found[REASON_CONTRIBUTION][0].any()
    assert {*found[REASON_CATEGORY][0].ravel(), *found[REASON_INTEREST][0].ravel()} == {b""}
    assert np.isfinite(found[REASON_NUMBER_CONTRIBUTION]).all()
    assert found[REASON_CATEGORY][1, 0, 0] == b"never seen"


def test_paths_of_the_exported_model(run):
    count, empty = 3, make_example(np.random.default_rng(1), steps=0)
    examples = tf.concat([run["test"][:count], [encode_example(without_labels(empty))]], axis=0)
    served, found = answer(run, SERVE, examples), answer(run, PATHS, examples)
    assert found[FORECAST_CATEGORY][:, 0, 0].tolist() == served[NEXT_CATEGORY][:, 0].tolist()
    np.testing.assert_allclose(found[FORECAST_PROBABILITY][:, 0], served[NEXT_CATEGORY_PROBABILITY], atol=1e-5)
    for kind in PATH_KINDS:
        assert found[PATH_CATEGORY[kind]].shape == (count + 1, PATH_BEAM, PATH_STEPS)
        chances = found[PATH_PROBABILITY[kind]]
        assert (chances[:, 0] > 0).all()
        assert (np.diff(chances, axis=1) <= 1e-7).all()
        np.testing.assert_allclose(found[PATH_STEP_PROBABILITY[kind]].prod(axis=2), chances, atol=1e-6)
    for row in range(count):
        for path in found[PATH_CATEGORY[MOVES]][row].tolist():
            assert len({*path, served[CURRENT_CATEGORY][row]}) == PATH_STEPS + 1


def test_the_graph_has_no_text_operations(run):
    path = run["arguments"].serving_model_dir + "/saved_model.pb"
    graph = SavedModel.FromString(tf.io.gfile.GFile(path, "rb").read()).meta_graphs[0].graph_def
    names = {node.op for node in graph.node} | {node.op for f in graph.library.function for node in f.node_def}
    assert names
    assert not [name for name in names if "TFText" in name or "Tokenize" in name]


def test_wrong_settings_are_refused(run):
    arguments = FnArgs(transform_graph_path="nowhere", custom_config={"model": {"depth": 3}, "examples": {"size": 1}})
    with pytest.raises(ConfigError, match=r"custom_config examples: size: Extra inputs are not permitted"):
        run_fn(arguments)


def test_a_language_model_with_lora_is_tuned_to_what_follows_what(run, tmp_path):
    graph = Path(shutil.copytree(run["arguments"].transform_graph_path, tmp_path / "graph"))
    names = vocabulary_values(Path(tft.TFTransformOutput(str(graph)).vocabulary_file_by_name(ITEMS)).read_bytes())
    texts = [WORDS[number % len(WORDS)] for number in range(len(names))]
    (tmp_path / "examples" / ITEM_TEXTS).mkdir(parents=True)
    table = pa.table([names.cast(pa.string()), texts, np.ones(len(names), np.int64)], schema=ITEM_TEXTS_SCHEMA)
    pq.write_table(table, tmp_path / "examples" / ITEM_TEXTS / "data.parquet")
    transformed = Path(run["transformed"][0]).parents[1]
    language = {"checkpoint": str(write_checkpoint(tmp_path / "checkpoint")), "max_tokens": 8}
    tuned = language | {"lora": {"rank": 2, "epochs": 2, "max_steps": 4, "batch_size": 16, "learning_rate": 0.05}}
    digests = {}
    for name, settings in (("loaded", language), ("tuned", tuned)):
        write_text_vectors(str(tmp_path / "examples"), str(transformed), str(graph), {"language": settings})
        digests[name] = TextVectors.load(graph / TEXT_VECTORS_FILE).digest
        assert (graph / ADAPTER_FILE).is_file() == (name == "tuned")
    settings = LanguageSettings.from_values(tuned, source="test")
    assert digests["loaded"] == TextEncoder.load(settings).digest
    assert digests["tuned"] == TextEncoder.load(settings, adapter=graph / ADAPTER_FILE).digest != digests["loaded"]
