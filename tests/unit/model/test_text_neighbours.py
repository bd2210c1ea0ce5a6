"""What neighbours of a text tell, by hand, and the loss that teaches the model to use them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformed_records import SIZES, SMALL_MODEL, make_batch, make_transformed

from interest_migration.model.interest_model import InterestModel
from interest_migration.model.new_items import draw_new_items, new_item_loss, withhold
from interest_migration.model.settings import ModelSettings
from interest_migration.model.text_neighbours import TextNeighbours
from schemas.features import ACTION_IDS, AGE_BUCKETS, ITEM_IDS, NEXT_ITEMS, STEP_INDEX, label_name
from schemas.signatures import EVENT_VECTORS

# Three items: two say the same, one says the opposite; their mean is 0, so that cosines are those of the vectors.
TABLE = np.array([[1, 0], [1, 0], [-2, 0]], np.float32)
NEW = np.array([[3, 0], [-1, 0], [0, 1], [0, 0]], np.float32)


def history(ids, vectors=None):
    ones = tf.ones_like(ids)
    given = {ITEM_IDS: tf.constant(ids), ACTION_IDS: ones, AGE_BUCKETS: ones, STEP_INDEX: tf.zeros_like(ids)}
    return given if vectors is None else given | {EVENT_VECTORS: tf.constant(vectors)}


POPULAR, PERSONAL = np.array([0.5, -0.5]), np.array([0.8, -0.9])
SERVED_SHARE = 1 / (1 + np.exp(-0.85))


@pytest.fixture(scope="module")
def layer():
    made = TextNeighbours(3, 2)
    made.build()
    made.assign([4.0, 2.0, 0.5])
    made.popular.assign([POPULAR, [0, 0]])
    made.personal.assign([PERSONAL, [0, 0]])
    made.appetite.bias.assign([np.log(np.e - 1), -40])  # softplus: 1 of what is alike, 0 of what is the same
    made.odds.assign(0.0)
    return made


def score(layer, inputs, *given, **options):
    return layer(inputs, tf.zeros([1, 2]), TABLE, NEW, *given, **options).numpy()[0]


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum()


def expected(reached, items, near=(0, 0, 0, 0), events=0, share=SERVED_SHARE, total=6.5):
    """Of four candidates, from sums over their neighbours."""
    kinds = np.log(np.array([reached, items]) + 5)
    lift = np.log((np.array(near) + 0.3) / (events * np.array(reached) / total + 0.3))
    return np.log(share * softmax(POPULAR @ kinds) + (1 - share) * softmax(PERSONAL @ kinds + lift))


REACHED, ITEMS = (6, 0.5, 0, 0), (2, 1, 0, 0)


def test_without_a_history_popularity_of_neighbours_and_five_average_items_speaks(layer):
    np.testing.assert_allclose(score(layer, history([[0]])), expected(REACHED, ITEMS), atol=1e-3)


def test_what_was_wanted_more_than_usual_lifts_what_is_like_it(layer):
    found = score(layer, history([[1, 2, 2, 0]]))
    np.testing.assert_allclose(found, expected(REACHED, ITEMS, (3, 0, 0, 0), 3), atol=1e-3)
    assert found[0] > score(layer, history([[0]]))[0]
    assert found[1] < score(layer, history([[0]]))[1]


def test_scores_are_logarithms_of_probabilities(layer):
    assert np.exp(score(layer, history([[1, 3]]))).sum() == pytest.approx(1)


def test_the_share_is_learned_and_popularity_has_more_of_it_when_served(layer):
    given = history([[1, 2, 2, 0]])
    np.testing.assert_allclose(
        score(layer, given, training=True), expected(REACHED, ITEMS, (3, 0, 0, 0), 3, share=0.5), atol=1e-3
    )


def test_new_items_of_a_history_are_read_by_their_vectors(layer):
    new = history([[4, 4, 4, 0]], [[[1.0, 0], [2, 0], [1, 0], [0, 0]]])
    np.testing.assert_allclose(score(layer, new), score(layer, history([[1, 2, 2, 0]])), atol=1e-6)


def test_items_that_are_treated_as_new_are_out_of_sight(layer):
    found = score(layer, history([[0, 3]]), tf.constant([1, 3]))
    np.testing.assert_allclose(found, expected((2, 0, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0), 1, total=2), atol=1e-3)


def make(width=5, **text):
    keras.utils.set_random_seed(1)
    settings = ModelSettings(**SMALL_MODEL, dropout=0, embedding_dropout=0, text=text)
    model = InterestModel(settings.model_dump(), SIZES | {"text_width": width}, 56.0)
    rng = np.random.default_rng(3)
    batch = make_batch([make_transformed(rng, steps=2) for _ in range(3)])
    model(batch)
    return model, batch


def test_equal_texts_cannot_be_told_apart():
    model, batch = make(new_items=4)
    model.trajectory.events.assign_texts(np.ones([SIZES["items"] + 2, 5]), np.zeros([3, 5]))
    batch[label_name(NEXT_ITEMS)] = tf.tile([list(range(1, SIZES["items"] + 1))], [3, 1])
    losses = [float(new_item_loss(model, batch, model(batch, training=True)))]
    batch[label_name(NEXT_ITEMS)] = batch[label_name(NEXT_ITEMS)] * [[1], [0], [0]]
    losses.append(float(new_item_loss(model, batch, model(batch, training=True))))
    np.testing.assert_allclose(losses, [np.log(4), np.log(4) / 3], atol=1e-4)  # one of three examples asks


def test_without_a_drawn_item_or_without_texts_there_is_no_loss():
    model, batch = make()
    nothing = batch | {label_name(NEXT_ITEMS): tf.zeros([3, 0], tf.int32)}
    assert float(new_item_loss(model, nothing, model(nothing, training=True))) == 0
    assert float(new_item_loss(model, batch, model(batch))) == 0
    plain, batch = make(width=0)
    assert plain.neighbours is None
    assert float(new_item_loss(plain, batch, plain(batch, training=True))) == 0


def test_the_loss_trains_neighbours():
    model, batch = make()
    model.trajectory.events.assign_texts(
        np.random.default_rng(0).normal(size=[SIZES["items"] + 2, 5]), np.zeros([3, 5])
    )
    with tf.GradientTape() as tape:
        loss = new_item_loss(model, batch, model(batch, training=True))
    layer = model.neighbours
    trained = [layer.popular, layer.personal, layer.odds, layer.steps, layer.appetite.bias, layer.appetite.kernel]
    for gradient in tape.gradient(loss, [variable.value for variable in trained]):
        assert gradient is not None
    assert np.isfinite(float(loss))


def test_what_learns_of_new_items_moves_nothing_else():
    model, batch = make()
    with tf.GradientTape() as tape:
        loss = new_item_loss(model, batch, model(batch, training=True))
    others = [model.next_item.query.kernel.value, model.trajectory.events.tables[ITEM_IDS].embeddings.value]
    assert tape.gradient(loss, others) == [None, None]


def test_drawn_items_are_distinct_and_change():
    model, _ = make(new_items=4)
    draws = [draw_new_items(model, training=True).numpy() for _ in range(20)]
    assert all(len(set(drawn)) == 4 for drawn in draws)
    assert {1, SIZES["items"]} <= set(np.concatenate(draws)) <= set(range(1, SIZES["items"] + 1))
    assert not draw_new_items(model, training=False).shape[0]


def test_events_of_drawn_items_are_taken_out():
    model, batch = make()
    given = batch | {ITEM_IDS: tf.constant([[2, 1, 3]]), STEP_INDEX: tf.constant([[1, 0, 0]])}
    found = withhold(model, given, tf.constant([2]))
    assert found[ITEM_IDS].numpy().tolist() == [[0, 1, 3]]
    assert found[STEP_INDEX].numpy().tolist() == [[-1, 0, 0]]


@pytest.mark.parametrize("only", [False, True])
def test_the_loss_does_not_see_that_a_new_item_was_bought_before(only):
    model, batch = make(new_items=SIZES["items"], only=only)
    model.trajectory.events.assign_texts(
        np.random.default_rng(0).normal(size=[SIZES["items"] + 2, 5]), np.zeros([3, 5])
    )
    others = batch | {ITEM_IDS: tf.where(batch[ITEM_IDS] > 0, batch[ITEM_IDS] % SIZES["items"] + 1, 0)}
    losses = [float(new_item_loss(model, given, model(given, training=True))) for given in (batch, others)]
    assert (losses[0] == pytest.approx(losses[1], abs=1e-6)) is not only
