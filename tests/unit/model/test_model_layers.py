"""Each layer by itself: values, masks, round trip of its configuration."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformed_records import SIZES, SMALL_MODEL, make_batch, make_transformed

from interest_migration.model.binary_head import BinaryHead
from interest_migration.model.category_head import CategoryHead
from interest_migration.model.event_embedding import EventEmbedding
from interest_migration.model.item_head import ItemHead
from interest_migration.model.profile_encoder import ProfileEncoder
from interest_migration.model.settings import ModelSettings
from interest_migration.model.step_pooling import StepPooling
from interest_migration.model.trajectory_encoder import TrajectoryEncoder
from schemas.features import BRAND_IDS, CATEGORY_IDS, ITEM_IDS, STEP_INDEX

CONFIG = ModelSettings(**SMALL_MODEL).model_dump()


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(1)


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return make_batch([make_transformed(rng, steps=steps) for steps in (3, 1, 6)])


def copy_of(layer, *inputs):
    """Builds a second layer from the configuration of the first, with the same weights."""
    copy = type(layer).from_config(layer.get_config())
    copy(*inputs)
    copy.set_weights(layer.get_weights())
    return copy


def assert_close(found, expected):
    tf.nest.map_structure(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), found, expected)


def test_step_pooling_by_hand():
    events = tf.constant([[[1.0], [2.0], [7.0], [100.0]]])
    tokens, counts = StepPooling()(events, tf.constant([[1, 0, 0, -1]]), steps=3)
    np.testing.assert_allclose(tokens[0, :, 0], [0, 1, 9 / np.sqrt(2)], rtol=1e-6)
    assert counts.numpy().tolist() == [[0, 1, 2]]


def test_step_pooling_leaves_out_older_steps():
    tokens, counts = StepPooling()(tf.constant([[[5.0], [3.0]]]), tf.constant([[4, 0]]), steps=2)
    assert tokens.numpy().ravel().tolist() == [0, 3]
    assert counts.numpy().tolist() == [[0, 1]]


def test_event_embedding_is_the_sum_of_its_tables(batch):
    layer = EventEmbedding(4, SIZES)
    found = layer(batch)
    expected = sum(table.get_weights()[0][batch[name].numpy()] for name, table in layer.tables.items())
    assert_close(found, expected)
    assert_close(copy_of(layer, batch)(batch), found)


def test_trajectory_is_causal(batch):
    layer = TrajectoryEncoder(CONFIG, SIZES)
    states, mask = layer(batch)
    changed = dict(batch)
    newest = batch[STEP_INDEX] == 0
    changed[ITEM_IDS] = tf.where(newest, 9, batch[ITEM_IDS])
    after, _ = layer(changed)
    real = mask.numpy()[:, :-1]
    np.testing.assert_allclose(after.numpy()[:, :-1][real], states.numpy()[:, :-1][real], atol=1e-6)
    assert np.abs(after[:, -1] - states[:, -1]).max() > 1e-3


def test_trajectory_reads_the_newest_steps_on_the_right(batch):
    states, mask = TrajectoryEncoder(CONFIG, SIZES)(batch)
    assert states.shape == [3, 4, 8]
    assert mask.numpy().tolist() == [[False, True, True, True], [False, False, False, True], [True] * 4]


def test_trajectory_does_not_depend_on_padding(batch):
    layer = TrajectoryEncoder(CONFIG, SIZES)
    states, _ = layer(batch)
    alone, _ = layer({name: value[1:2] for name, value in batch.items()})
    assert_close(alone[:, -1], states[1:2, -1])


def test_trajectory_with_static_shapes_gives_the_same(batch):
    layer = TrajectoryEncoder(CONFIG, SIZES)
    states, _ = layer(batch)
    static = TrajectoryEncoder(CONFIG, SIZES, static_shapes=True)
    short = {name: value[1:2] for name, value in batch.items()}
    static(short)
    static.set_weights(layer.get_weights())
    found, _ = static(short)
    assert found.shape == [1, 4, 8]
    assert_close(found[:, -1], states[1:2, -1])
    assert static.get_config()["static_shapes"] is True


def test_trajectory_of_nobody_with_a_history():
    empty = make_batch([make_transformed(np.random.default_rng(0), steps=0)] * 2)
    states, mask = TrajectoryEncoder(CONFIG, SIZES)(empty)
    assert states.shape == [2, 1, 8]
    assert np.isfinite(states.numpy()).all()
    assert not mask.numpy().any()


def test_trajectory_round_trip(batch):
    layer = TrajectoryEncoder(CONFIG, SIZES)
    found = layer(batch)
    assert_close(copy_of(layer, batch)(batch)[0], found[0])


def test_profile_scores_touched_categories_only():
    layer = ProfileEncoder(categories=3, width=4, pooled_width=2)
    numbers = tf.random.stateless_normal([1, 3, 5], [0, 1])
    scores, pooled = layer(numbers, tf.constant([[2, 4, 0]]), tf.ones([1, 2]))
    assert (np.abs(scores[0]).sum(axis=1) > 0).tolist() == [False, True, False]
    assert pooled.shape == [1, 2]


def test_profile_does_not_depend_on_padding_or_order():
    layer = ProfileEncoder(categories=3, width=4, pooled_width=2)
    numbers, user = tf.random.stateless_normal([1, 3, 5], [0, 1]), tf.ones([1, 2])
    found = layer(numbers, tf.constant([[2, 1, 0]]), user)
    assert_close(layer(numbers[:, :2], tf.constant([[2, 1]]), user), found)
    assert_close(layer(tf.gather(numbers, [1, 0], axis=1), tf.constant([[1, 2]]), user), found)
    assert_close(
        copy_of(layer, numbers, tf.constant([[2, 1, 0]]), user)(numbers, tf.constant([[2, 1, 0]]), user), found
    )


def test_empty_profile():
    scores, pooled = ProfileEncoder(3, 4, 2)(tf.zeros([2, 0, 5]), tf.zeros([2, 0], tf.int32), tf.ones([2, 2]))
    assert not scores.numpy().any()
    assert not pooled.numpy().any()


def test_category_head_adds_bias_and_offset():
    layer = CategoryHead(size=3, width=2, user_offset=True)
    state, embeddings = tf.constant([[1.0, 2.0]]), tf.constant([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    layer(state, embeddings)
    layer.bias.assign([10.0, 20.0, 30.0])
    layer.query.set_weights([np.eye(2), np.zeros(2)])
    layer.offset.set_weights([np.array([[0.0], [100.0]]), np.zeros(1)])
    assert layer(state, embeddings).numpy().tolist() == [[211, 222, 233]]
    assert_close(copy_of(layer, state, embeddings)(state, embeddings), layer(state, embeddings))


def test_item_head_adds_the_attributes_of_an_item():
    tables = EventEmbedding(2, SIZES)
    tables.build(None)
    layer = ItemHead(SIZES["items"], 2, (CATEGORY_IDS, BRAND_IDS))
    layer(tf.zeros([1, 2]))
    attributes = np.zeros([SIZES["items"] + 2, 2], np.int32)
    attributes[4] = [3, 1]
    layer.attribute_ids.assign(attributes)
    weights = {name: table.get_weights()[0] for name, table in tables.tables.items()}
    expected = weights[ITEM_IDS][4] + weights[CATEGORY_IDS][3] + weights[BRAND_IDS][1]
    np.testing.assert_allclose(layer.vectors(tf.constant([4]), tables)[0], expected, rtol=1e-6)
    layer.bias.assign(np.arange(SIZES["items"] + 2, dtype=np.float32))
    scores = layer.scores(tf.constant([[1.0, 1.0]]), tables)
    assert scores.shape == [1, SIZES["items"]]
    np.testing.assert_allclose(scores[0, 3], expected.sum() + 4, rtol=1e-6)
    assert ItemHead.from_config(layer.get_config()).attributes == (CATEGORY_IDS, BRAND_IDS)


def test_binary_head():
    layer = BinaryHead(answers=2, width=3, dropout=0.5)
    user, aggregates = tf.ones([4, 2]), tf.ones([4, 5])
    found = layer(user, aggregates)
    assert found.shape == [4, 2]
    assert_close(copy_of(layer, user, aggregates)(user, aggregates), found)
