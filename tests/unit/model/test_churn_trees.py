"""Boosted trees in the graph against scikit-learn's own scores."""

import keras
import numpy as np
import pytest

from interest_migration.baselines.boosting import BoostedTrees
from interest_migration.model.churn_trees import DEPTH, ChurnTrees, Trees
from interest_migration.training.churn_trees import pack

TREES = 20


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(5)
    features = rng.normal(size=(600, 4)).astype(np.float32).round(1)  # many ties
    labels = features[:, 0] * features[:, 1] + features[:, 2] + rng.normal(size=600) > 0
    boosted = BoostedTrees(TREES, 0.2, min_samples_leaf=20, seed=1, leaves=2**DEPTH, depth=DEPTH)
    boosted.fit(features, labels)
    chance = boosted.predict_proba(features)[:, 1]
    return features, np.log(chance / (1 - chance)), pack(boosted.nodes(), boosted.base)


def make_layer(trees=TREES):
    layer = ChurnTrees(2, trees)
    layer.build()
    return layer


def test_the_graph_scores_as_the_library_does(fitted):
    features, logits, trees = fitted
    layer = make_layer()
    layer.assign([None, trees])
    scores = layer(features).numpy()
    np.testing.assert_allclose(scores[:, 1], logits, atol=1e-5)
    assert not scores[:, 0].any()
    assert layer.grown() == [False, True]


def test_small_trees_written_by_hand():
    leaf = {"is_leaf": 1, "value": 3.0, "feature_idx": 0, "num_threshold": 0.0, "left": 0, "right": 0}
    fields = [(name, np.float64 if name in ("value", "num_threshold") else np.int64) for name in leaf]
    split = leaf | {"is_leaf": 0, "feature_idx": 1, "num_threshold": 0.5, "left": 1, "right": 2}
    stump = np.array([tuple(row.values()) for row in (split, leaf, leaf | {"value": 7.0})], fields)
    single = np.array([tuple((leaf | {"value": 100.0}).values())], fields)
    layer = make_layer(2)
    layer.assign([pack([stump, single], base=0.25), None])
    scores = layer(np.array([[9.0, 0.5], [9.0, 0.51]], np.float32)).numpy()
    np.testing.assert_allclose(scores[:, 0], [103.25, 107.25])


def test_a_threshold_between_two_floats_changes_no_side():
    below = np.float32(0.1)
    above = np.nextafter(below, np.float32(1))
    threshold = (float(below) + float(above)) / 2 + 1e-10
    assert np.float32(threshold) == above  # rounding to nearest would send `above` to the left
    node = [(0, 0.0, 0, threshold, 1, 2), (1, -1.0, 0, 0.0, 0, 0), (1, 1.0, 0, 0.0, 0, 0)]
    names = ("is_leaf", "value", "feature_idx", "num_threshold", "left", "right")
    kinds = (np.int64, np.float64, np.int64, np.float64, np.int64, np.int64)
    layer = make_layer(1)
    layer.assign([pack([np.array(node, list(zip(names, kinds, strict=True)))], 0.0), None])
    assert layer(np.array([[below], [above]])).numpy()[:, 0].tolist() == [-1.0, 1.0]


def test_the_blend_is_a_weighted_mean(fitted):
    features, logits, trees = fitted
    layer = make_layer()
    layer.assign([trees, None])
    own = np.ones([len(features), 2], np.float32)
    np.testing.assert_array_equal(layer.blend(own, features), own)
    layer.share.assign([0.25, 0.0])
    blended = layer.blend(own, features).numpy()
    np.testing.assert_allclose(blended[:, 0], 0.75 + 0.25 * logits, atol=1e-5)
    np.testing.assert_array_equal(blended[:, 1], own[:, 1])


def test_without_trees_the_network_answers_alone():
    layer = make_layer(0)
    own = np.ones([3, 2], np.float32)
    np.testing.assert_array_equal(layer.blend(own, np.zeros([3, 4], np.float32)), own)


def test_saved_and_loaded(tmp_path, fitted):
    features, _, trees = fitted
    inputs = keras.Input([4])
    layer = make_layer()
    model = keras.Model(inputs, layer(inputs))
    layer.assign([trees, trees])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(features), model(features))


def test_packed_shapes(fitted):
    trees: Trees = fitted[2]
    assert trees.column.shape == trees.threshold.shape == (TREES, 15)
    assert trees.leaf.shape == (TREES, 16)
