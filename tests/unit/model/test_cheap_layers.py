"""Layers in few operations answer as Keras' own do."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from interest_migration.model.cheap_layers import IdEmbedding, row_dense
from interest_migration.model.inputs import PADDING_STEP, pad
from schemas.features import STEP_INDEX, TRANSFORMED_FEATURES

STEPS = next(spec for spec in TRANSFORMED_FEATURES if spec.name == STEP_INDEX)


def operations(function, value):
    """Operations of a graph whose sizes are open, as those of the served one are."""
    spec = tf.TensorSpec([None] * (value.shape.rank - 1) + [value.shape[-1] if value.dtype == tf.float32 else None])
    traced = tf.function(function).get_concrete_function(tf.TensorSpec(spec.shape, value.dtype))
    return len(traced.graph.get_operations())


def pairs():
    ids = tf.constant([[0, 3, 4], [1, 1, 0]])
    rows = tf.constant(np.random.default_rng(0).normal(size=(2, 3, 5)), tf.float32)
    return [
        (IdEmbedding(5, 4), keras.layers.Embedding(5, 4), ids),
        (row_dense(4, bias_axes="u", activation="gelu"), keras.layers.Dense(4, activation="gelu"), rows),
        (row_dense(4), keras.layers.Dense(4, use_bias=False), rows),
    ]


@pytest.mark.parametrize(("ours", "theirs", "value"), pairs())
def test_the_same_answer_with_fewer_operations(ours, theirs, value):
    theirs(value), ours(value)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(value), theirs(value), rtol=1e-6, atol=1e-6)
    assert operations(ours, value) < operations(theirs, value)


def test_sparse_lists_are_padded_as_ragged_ones_are():
    ragged = tf.ragged.constant([[1, 0], [], [2, 1, 0]], tf.int64)
    padded = [pad({STEP_INDEX: value}, [STEPS])[STEP_INDEX].numpy() for value in (ragged, ragged.to_sparse())]
    np.testing.assert_array_equal(*padded)
    assert padded[0].tolist() == [[1, 0, PADDING_STEP], [PADDING_STEP] * 3, [2, 1, 0]]
