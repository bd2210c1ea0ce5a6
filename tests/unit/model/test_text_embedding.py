"""Texts in the model: what they add, what hidden and new items are, and that nothing changes without them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformed_records import SIZES, SMALL_MODEL, make_batch, make_transformed

from interest_migration.errors import ContractError
from interest_migration.model.interest_model import InterestModel
from interest_migration.model.objectives import objectives, total
from interest_migration.model.settings import ModelSettings
from interest_migration.model.text_inputs import SHOWN_ITEMS, hide_items, score_by_text
from interest_migration.model.variables import trained_variables
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.strategy import numerics
from schemas.features import ITEM_IDS, TEXT_IDS

WIDTH = 5
ITEMS = SIZES["items"]


def make(text=None, width=WIDTH):
    keras.utils.set_random_seed(1)
    settings = ModelSettings(**SMALL_MODEL, text=text or {})
    model = InterestModel(settings.model_dump(), SIZES | {"text_width": width, "texts": 3}, 56.0)
    model(batch())
    return model


def batch(count=4):
    rng = np.random.default_rng(3)
    made = make_batch([make_transformed(rng, steps=3) for _ in range(count)])
    return made | {TEXT_IDS: tf.zeros_like(made[ITEM_IDS])}


def vectors(seed=0):
    rng = np.random.default_rng(seed)
    tables = [rng.normal(size=(rows + 2, WIDTH)) for rows in (ITEMS, 3)]
    for table in tables:
        table[[0, -1]] = 0
    return [table.astype(np.float16) for table in tables]


@pytest.fixture(scope="module")
def model():
    made = make()
    made.trajectory.events.assign_texts(*vectors())
    made.next_item.attribute_ids.assign(np.pad(np.ones((ITEMS, 4)), [(1, 1), (0, 0)]))
    return made


def test_without_a_language_model_nothing_is_added():
    plain = make(width=0)
    assert not [name for name in trained_variables(plain) if "text" in name]
    assert SHOWN_ITEMS not in plain(batch(), training=True)
    with pytest.raises(ContractError, match="text_width"):
        plain.trajectory.events.language()


def test_only_the_projection_is_trained(model):
    named = [name for name in trained_variables(model) if "/text/" in name]
    assert named == ["trajectory/events/text/kernel"]


def test_texts_of_items_move_scores_and_histories(model):
    before = model(batch())
    scores = model.item_scores(before).numpy()
    changed = make()
    for new, old in zip(changed.variables, model.variables, strict=True):
        new.assign(old)
    changed.trajectory.events.assign_texts(*vectors(seed=9))
    assert np.abs(changed(batch())["item_query"] - before["item_query"]).max() > 1e-3
    assert np.abs(changed.item_scores(before).numpy() - scores).max() > 1e-3


def test_typed_texts_are_read(model):
    typed = batch() | {TEXT_IDS: tf.ones_like(batch()[ITEM_IDS])}
    assert np.abs(model(typed)["item_query"] - model(batch())["item_query"]).max() > 1e-3


def test_requests_without_typed_texts_are_answered(model):
    short = batch() | {TEXT_IDS: tf.zeros([4, 0], tf.int32)}
    np.testing.assert_array_equal(model(short)["item_query"], model(batch())["item_query"])


def test_training_hides_a_share_of_the_items_in_histories(model):
    def draw():
        inputs, shown = hide_items(model, batch(), training=True)
        np.testing.assert_array_equal(inputs[ITEM_IDS], tf.gather(shown, batch()[ITEM_IDS]))
        return shown.numpy()

    shown = draw()
    many = np.concatenate([draw()[1:-1] for _ in range(60)])
    assert shown[0] == 0
    assert shown[-1] == ITEMS + 1
    hidden = many == ITEMS + 1
    assert hidden.mean() == pytest.approx(0.2, abs=0.06)
    assert np.array_equal(many[~hidden], np.tile(np.arange(1, ITEMS + 1), 60)[~hidden])
    assert hide_items(model, batch(), training=False)[1] is None


def test_candidates_are_hidden_only_where_texts_are_all_that_is_known(model):
    assert SHOWN_ITEMS not in model(batch(), training=True)
    assert (make(text={"only": True})(batch())[SHOWN_ITEMS].numpy()[1:] == ITEMS + 1).all()


def test_a_hidden_item_scores_as_a_new_one_with_its_text(model):
    query = model(batch())["item_query"]
    shown = tf.fill([ITEMS + 2], ITEMS + 1)
    hidden = model.next_item.scores(query, model.trajectory.events, shown)
    new = model.next_item.text_scores(query, model.trajectory.events, tf.constant(vectors()[0][1:-1], tf.float32))
    np.testing.assert_allclose(hidden, new, atol=1e-5)
    assert np.abs(hidden - model.next_item.scores(query, model.trajectory.events)).max() > 1e-3


def test_a_history_of_new_items_is_read_by_their_vectors():
    only = make(text={"only": True})
    only.trajectory.events.assign_texts(*vectors())
    known = batch()
    own = tf.gather(tf.constant(vectors()[0], tf.float32), known[ITEM_IDS])
    new = known | {ITEM_IDS: tf.where(known[ITEM_IDS] > 0, ITEMS + 1, 0)}
    candidates = tf.constant(vectors(seed=5)[0], tf.float32)
    none = tf.zeros([4, 0, WIDTH])
    expected = score_by_text(only, known, none, candidates)
    np.testing.assert_allclose(score_by_text(only, new, own, candidates), expected, atol=1e-5)
    assert np.abs(score_by_text(only, new, none, candidates) - expected).max() > 1e-3


def test_a_model_of_texts_alone_reads_no_ids():
    only = make(text={"only": True})
    other = {name: (value + 1) % 4 for name, value in batch().items() if name in ("category_ids", "brand_ids")}
    np.testing.assert_array_equal(only(batch())["item_query"], only(batch() | other)["item_query"])


def test_frozen_tables_give_the_same_scores(model):
    before = model.item_scores(model(batch())).numpy()
    tables = model.trajectory.events.language().freeze()
    assert [tuple(table.shape) for table in tables] == [(ITEMS + 2, 8), (5, 8)]
    np.testing.assert_allclose(model.item_scores(model(batch())), before, atol=1e-6)
    model.trajectory.events.text._projected = None


@pytest.mark.parametrize("full_softmax_items", [0, 100])
def test_both_softmaxes_see_hidden_items(full_softmax_items):
    keras.utils.set_random_seed(1)
    settings = ModelSettings(**SMALL_MODEL, full_softmax_items=full_softmax_items, text={"only": True})
    model = InterestModel(settings.model_dump(), SIZES | {"text_width": WIDTH}, 56.0)
    given = batch()
    model(given)
    with tf.GradientTape() as tape:
        loss = objectives(model, given, model(given, training=True))["next_item"]
    table = model.trajectory.events.tables[ITEM_IDS].embeddings
    gradient = tf.convert_to_tensor(tape.gradient(loss, table.value)).numpy()
    assert np.abs(gradient[ITEMS + 1]).max() > 0
    assert not gradient[1 : ITEMS + 1].any()


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_texts_train_in_mixed_precision(precision):
    given, (items, texts) = batch(), vectors()
    with numerics(TrainingSettings(precision=precision, deterministic=False)):
        mixed = make()
        mixed.trajectory.events.assign_texts(items, texts)
        mixed.neighbours.assign(np.arange(1, ITEMS + 1))
        with tf.GradientTape() as tape:
            losses = objectives(mixed, given, mixed(given, training=True))
            loss = total(losses, mixed.settings.loss_weights)
        trained = [mixed.trajectory.events.text.kernel, mixed.neighbours.popular]
        gradients = tape.gradient(loss, [variable.value for variable in trained])
        candidates = tf.constant(items[1:-1], tf.float32)
        scores = score_by_text(mixed, given, tf.ones([len(given[ITEM_IDS]), 2, WIDTH]), candidates)
    assert losses["new_item"] > 0
    assert all(np.isfinite(value) for value in losses.values())
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert np.any(gradients[0])  # that of `popular` is 0 here but for rounding: all items are alike
    assert scores.dtype == tf.float32
    assert np.isfinite(scores).all()
