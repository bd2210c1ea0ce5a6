import numpy as np
import pytest
import tensorflow as tf

from interest_migration.model.transition_graph import TransitionGraph

USER = tf.zeros([1, 4])


def graph(**settings):
    """1 was followed by 2 three times and by 3 once; 2 by 3 twice."""
    layer = TransitionGraph(4, {"steps": 2, "decay": 0.5, "neighbours": 2, "sources": 3} | settings)
    layer.build()
    layer.ids.assign([[0, 0], [2, 3], [3, 0], [0, 0], [0, 0], [0, 0]])
    layer.counts.assign([[0, 0], [3, 1], [2, 0], [0, 0], [0, 0], [0, 0]])
    return layer


def dense(layer, ids, steps, left_out=None):
    out = None if left_out is None else tf.constant([left_out])
    ids, steps = (tf.constant([values], tf.int32) for values in (ids, steps))
    return layer.read(ids, steps, USER, out).dense(4).numpy()[0]


def test_untrained_it_adds_up_counts_by_decay():
    # 1 is one step back (weight .5): 2 gains 1.5, 3 gains .5; 2 is the newest: 3 gains 2. The gate is log(2).
    expected = np.log(2) * np.log1p([0, 1.5, 2.5, 0])
    np.testing.assert_allclose(dense(graph(), [1, 2], [1, 0]), expected, rtol=1e-5)


def test_older_steps_padding_and_unknown_ids_are_not_read():
    np.testing.assert_array_equal(dense(graph(), [1, 5, 0, 0], [2, 0, 0, -1]), 0)
    assert not dense(graph(), [], []).any()


def test_only_the_newest_sources_are_read():
    few = graph(sources=1)
    np.testing.assert_allclose(dense(few, [1, 2], [1, 0]), np.log(2) * np.log1p([0, 0, 2, 0]), rtol=1e-5)


def test_an_example_does_not_count_its_own_transition():
    # The label 3 follows 2 directly (1 of the 2) and 1 over two steps (.5 of the 1, read at weight .5).
    expected = np.log(2) * np.log1p([0, 1.5, 0.25 + 1, 0])
    np.testing.assert_allclose(dense(graph(), [1, 2], [1, 0], left_out=[3, 0]), expected, rtol=1e-5)


def test_a_transition_seen_once_does_not_predict_itself():
    assert dense(graph(), [1], [0])[2] > 0
    assert dense(graph(), [1], [0], left_out=[3])[2] == 0


def test_cosine_shares_scale_counts():
    layer = graph(cosine=True)
    layer.shares.assign([1, 0.5, 0.5, 1, 1, 1])
    np.testing.assert_allclose(np.expm1(dense(layer, [1], [0]) / np.log(2)), [0, 50 * 0.75, 50 * 0.5, 0], rtol=1e-4)


@pytest.mark.parametrize("cosine", [False, True])
def test_it_is_saved_with_its_settings(cosine):
    layer = graph(cosine=cosine)
    again = TransitionGraph.from_config(layer.get_config())
    assert again.settings == layer.settings
