"""What `predict` and its like answer for events sent as columns."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from event_columns import sort_key, to_columns
from event_tables import DAY_S, to_batch
from random_logs import make_log
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from interest_migration.examples.build import build_features
from interest_migration.examples.encode import ExampleEncoder
from interest_migration.examples.settings import ExampleSettings
from interest_migration.serving.facts import read_facts
from schemas.features import RAW_FEATURES, WINDOW_DAYS, Role, Shape
from schemas.signatures import (
    COLUMN_SIGNATURES,
    COLUMNS,
    EMBED,
    EMBED_NAMES,
    EXAMPLES,
    EXPLAIN,
    EXPLAIN_COLUMNS,
    EXPLAINED_SCORE,
    FORECAST_PROBABILITY,
    ITEM_BIAS,
    ITEM_KNOWN,
    ITEM_QUERY,
    ITEM_VECTOR,
    MIGRATION_FROM,
    MIGRATION_PROBABILITY,
    MIGRATION_TO,
    MODEL_ID,
    NEXT_CATEGORY,
    NEXT_CATEGORY_PROBABILITY,
    NEXT_ITEM,
    NEXT_ITEM_SCORE,
    PATH_PROBABILITY,
    PATHS,
    PATHS_COLUMNS,
    PREDICT,
    REASON_EVENT,
    SERVE,
    USER_EMBEDDING,
)

SETTINGS = ExampleSettings(conflicting_fields=(), bot_limits=())
EMPTY = {Shape.SCALAR: [0.0], Shape.WINDOWS: [0.0] * len(WINDOW_DAYS)}
INPUTS = [spec for spec in RAW_FEATURES if spec.role is Role.INPUT]
CUT_S = 30 * DAY_S


def ask(run, signature, **inputs):
    found = run["model"].signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in found.items()}


def same_facts(seed):
    """Events in categories and of items that the model knows, as examples and as columns, by user."""
    known = {"tea": "item-1-1", "milk": "item-2-0", "bread": "item-9-9"}
    log = [
        {**event, "item": known.get(event["item"], event["item"]), "category_path": f"category-{event['time_s'] % 14}"}
        for event in make_log(seed, 60)
    ]
    log = [event for _, event in sorted({(*sort_key(event), event["user"]): event for event in log}.items())]
    features = build_features(to_batch(log), CUT_S, SETTINGS).to_pylist()
    users = [row["user"][0].decode() for row in features]
    columns = to_columns([[event for event in log if event["user"] == user] for user in users], [CUT_S] * len(users))
    return [encode(row) for row in features], columns


def encode(row):
    message = tf.train.Example()
    for spec in INPUTS:
        kind = {"string": "bytes_list", "int64": "int64_list", "float32": "float_list"}[spec.dtype]
        getattr(message.features.feature[spec.name], kind).value.extend(row[spec.name])
    return message.SerializeToString()


def assert_close(got, expected):
    for name, value in expected.items():
        if value.dtype == object:
            assert np.mean(got[name] == value) > 0.99, name  # names whose scores are equal may change places
        else:
            np.testing.assert_allclose(got[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_predict_answers_as_serving_default_does(exported_run, seed):
    examples, columns = same_facts(seed)
    assert_close(ask(exported_run, PREDICT, **columns), ask(exported_run, SERVE, **{EXAMPLES: examples}))


def user(*events, cut_s=CUT_S, slots=None):
    """Columns of one user."""
    return to_columns([events], [cut_s], slots)


def buy(days_ago, category=1, **fields):
    moment = int(CUT_S - days_ago * DAY_S)
    return {"time_s": moment, "action": "purchase", "item": f"item-{category}-0", **fields} | {
        "category_path": fields.get("category_path", f"category-{category}")
    }


THREE = (buy(9, 2), buy(4, 3), buy(1, 4))


def assert_equal(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        if value.dtype == object:
            assert (value == second[name]).all(), name
        else:
            np.testing.assert_allclose(value, second[name], rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.fixture(scope="module")
def answered(exported_run):
    return ask(exported_run, PREDICT, **user(*THREE))


@pytest.mark.parametrize(
    "columns",
    [
        user(*reversed(THREE)),
        user(*THREE, slots=7),
        user(*THREE, buy(0, 5), buy(-3, 6)),
        {**user(*THREE), "brand": [[""]], "text": [[""]], "session": [[""]], "price": [[-1.0]], "quantity": [[-1.0]]},
    ],
    ids=["any order", "empty slots", "events not before the moment", "columns of width 1"],
)
def test_answers_do_not_depend_on_how_events_are_sent(exported_run, answered, columns):
    columns = {
        name: np.asarray(value, np.float32) if name in ("price", "quantity") else value
        for name, value in columns.items()
    }
    assert_equal(ask(exported_run, PREDICT, **columns), answered)


def test_users_of_a_batch_do_not_mix(exported_run, answered):
    both = ask(exported_run, PREDICT, **to_columns([[], THREE, [buy(3, 7)]], [CUT_S] * 3))
    assert_equal({name: value[1:2] for name, value in both.items()}, answered)


def test_a_user_without_events_gets_what_serving_default_gives_a_newcomer(exported_run):
    found = ask(exported_run, PREDICT, **user())
    newcomer = encode({spec.name: EMPTY.get(spec.shape, []) for spec in INPUTS})
    assert_close(found, ask(exported_run, SERVE, **{EXAMPLES: [newcomer]}))
    assert found[MIGRATION_FROM] == [b""]


def test_unknown_names_are_read_as_unknown(exported_run, answered):
    unknown = ask(exported_run, PREDICT, **user(*(event | {"item": "x", "category_path": "y"} for event in THREE)))
    others = ask(exported_run, PREDICT, **user(*(event | {"item": "u", "category_path": "v"} for event in THREE)))
    assert_equal(unknown, others)
    assert unknown[MIGRATION_FROM] == [b""]
    assert abs(unknown["churn_probability_short"] - answered["churn_probability_short"]) > 1e-6
    danced = ask(exported_run, PREDICT, **user(*(event | {"action": "dance"} for event in THREE)))
    assert danced[MIGRATION_FROM] == [b"category-4"]


def test_of_a_long_history_the_newest_events_are_read_and_all_are_counted(exported_run):
    history = [buy(1 + number / 10, number % 12) for number in range(400)]
    features = build_features(to_batch([{"user": "a", **event} for event in history]), CUT_S, SETTINGS)
    examples = list(ExampleEncoder().encode(features))
    whole = ask(exported_run, PREDICT, **user(*history))
    assert_close(whole, ask(exported_run, SERVE, **{EXAMPLES: examples}))
    newest = ask(exported_run, PREDICT, **user(*history[:192]))
    assert not np.allclose(newest["churn_probability_long"], whole["churn_probability_long"], atol=1e-7)


def test_migration_goes_elsewhere_with_the_probability_of_the_next_category(answered):
    assert answered[MIGRATION_FROM] == [b"category-4"]
    chances = dict(zip(answered[NEXT_CATEGORY][0], answered[NEXT_CATEGORY_PROBABILITY][0], strict=True))
    to = answered[MIGRATION_TO][0]
    assert b"category-4" not in to
    shared = [name for name in to if name in chances]
    assert len(shared) >= 9
    assert [answered[MIGRATION_PROBABILITY][0][list(to).index(name)] for name in shared] == [chances[n] for n in shared]


def test_every_answer_names_the_model(exported_run, answered):
    facts = read_facts(Path(exported_run["arguments"].serving_model_dir))
    assert answered[MODEL_ID].tolist() == [facts.model_id.encode()]
    assert len(facts.model_id) == 16


def test_embeddings_are_those_of_the_answer_and_score_items(exported_run, answered):
    embedded = ask(exported_run, EMBED, **user(*THREE))
    np.testing.assert_allclose(embedded[USER_EMBEDDING], answered[USER_EMBEDDING], atol=1e-6)
    items = [name.decode() for name in answered[NEXT_ITEM][0] if name not in (b"item-2-0", b"item-3-0", b"item-4-0")]
    named = ask(exported_run, EMBED_NAMES, item=[*items, "no such item"], category=["category-1", "none such"])
    assert named[ITEM_KNOWN].tolist() == [True] * len(items) + [False]
    assert not named[ITEM_VECTOR][-1].any()
    assert named["category_known"].tolist() == [True, False]
    scores = named[ITEM_VECTOR] @ embedded[ITEM_QUERY][0] + named[ITEM_BIAS]
    given = dict(zip(answered[NEXT_ITEM][0], answered[NEXT_ITEM_SCORE][0], strict=True))
    gained = [given[name.encode()] - score for name, score in zip(items, scores, strict=False)]
    assert min(gained) > -1e-4  # what items gain from categories and followers is never below 0


def test_an_explanation_of_columns_points_into_the_row_that_was_sent(exported_run):
    explained = ask(exported_run, EXPLAIN_COLUMNS, **user(THREE[2], THREE[0], {}, THREE[1], slots=6))
    for place, name in ((0, b"item-4-0"), (1, b"item-2-0"), (3, b"item-3-0")):
        at = explained[REASON_EVENT] == place
        assert at.any()
        assert set(explained["event_item"][at]) == {name}
    assert set(explained[REASON_EVENT].ravel()) == {0, 1, 3, -1}


@pytest.mark.parametrize(
    ("of_columns", "of_examples", "scores"),
    [
        (EXPLAIN_COLUMNS, EXPLAIN, [EXPLAINED_SCORE]),
        (PATHS_COLUMNS, PATHS, [FORECAST_PROBABILITY, *PATH_PROBABILITY.values()]),
    ],
)
def test_explanations_and_paths_are_those_of_the_same_facts(exported_run, of_columns, of_examples, scores):
    examples, columns = same_facts(4)
    got, expected = ask(exported_run, of_columns, **columns), ask(exported_run, of_examples, **{EXAMPLES: examples})
    assert got.keys() == expected.keys()
    for name in scores:
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_optional_columns_have_defaults_in_the_signature(exported_run):
    model = SavedModel.FromString((Path(exported_run["arguments"].serving_model_dir) / "saved_model.pb").read_bytes())
    for name in COLUMN_SIGNATURES:
        defaults = model.meta_graphs[0].signature_def[name].defaults
        assert set(defaults) == {column.name for column in COLUMNS if column.default is not None}
        assert tf.make_ndarray(defaults["price"]).tolist() == [[-1.0]]
        assert tf.make_ndarray(defaults["brand"]).tolist() == [[b""]]


def ops_of(model, signature):
    """Ops that the answer of a signature needs, in the graph and in the functions that it calls."""
    graph = model.meta_graphs[0].graph_def
    nodes = {node.name: node for node in graph.node}
    functions = {function.signature.name: function for function in graph.library.function}
    outputs = model.meta_graphs[0].signature_def[signature].outputs.values()
    todo = [nodes[output.name.partition(":")[0]] for output in outputs]
    seen, ops = set(), set()
    while todo:
        node = todo.pop()
        ops |= {node.op} - functions.keys()
        names = {name.lstrip("^").partition(":")[0] for name in node.input} - seen
        called = {attr.func.name for attr in node.attr.values() if attr.HasField("func")} | {node.op}
        called = (called & functions.keys()) - seen
        seen |= names | called
        todo += [nodes[name] for name in names if name in nodes]
        todo += [inner for name in called for inner in functions[name].node_def]
    return ops


@pytest.mark.parametrize("signature", [SERVE, EXPLAIN, PATHS, EMBED_NAMES, *COLUMN_SIGNATURES])
def test_only_ops_of_tensorflow_itself_are_used(exported_run, signature):
    """`serving_ops.txt` lists ops whose kernels are TensorFlow's own, so that stock TensorFlow Serving links them."""
    model = SavedModel.FromString((Path(exported_run["arguments"].serving_model_dir) / "saved_model.pb").read_bytes())
    allowed = set((Path(__file__).parent / "serving_ops.txt").read_text(encoding="utf-8").split())
    used = ops_of(model, signature)
    assert {"GatherV2", "LookupTableFindV2"} <= used
    assert used - allowed == set()
