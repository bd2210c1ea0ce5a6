import numpy as np
import pytest
from scipy import sparse

from interest_migration.baselines.histories import read_steps
from interest_migration.model.transition_graph import TransitionGraph
from interest_migration.ragged import Ragged
from interest_migration.training.followers import count_followers, fill_graph, strongest
from schemas.features import ACTION_IDS, CATEGORY_IDS, CUT_TIME, ITEM_IDS, NEXT_ITEMS, STEP_INDEX, USER, label_name


def ragged(rows):
    return Ragged(np.concatenate([np.array(row, np.int64) for row in rows]), np.cumsum([0, *map(len, rows)]))


def examples(histories, labels):
    """One item per step."""
    items = ragged(histories)
    steps = ragged([range(len(row) - 1, -1, -1) for row in histories])
    nothing = Ragged(np.zeros(len(items.values), np.int64), items.offsets)
    return {
        USER: np.array([f"u{row}".encode() for row in range(len(histories))]),
        CUT_TIME: np.zeros(len(histories), np.int64),
        ITEM_IDS: items,
        CATEGORY_IDS: nothing,
        ACTION_IDS: nothing,
        STEP_INDEX: steps,
        label_name(NEXT_ITEMS): ragged(labels),
    }


def make_graph(**settings):
    graph = TransitionGraph(4, {"steps": 2, "decay": 0.5, "neighbours": 2} | settings)
    graph.build()
    return graph


def test_items_without_a_category_are_steps_too():
    assert len(read_steps(examples([[1, 2]], [[3]]), ITEM_IDS).example) == 2


def test_transitions_are_counted_over_several_steps():
    counts = count_followers(examples([[1, 2], [1]], [[3], [2]]), ITEM_IDS, make_graph()).toarray()
    expected = np.zeros([4, 4])
    expected[0, 1], expected[1, 2], expected[0, 2] = 2, 1, 0.5
    np.testing.assert_array_equal(counts, expected)


def test_strongest():
    counts = sparse.csr_matrix(np.array([[0, 1, 5, 1], [0, 0, 0, 0], [2, 0, 0, 0], [0, 0, 0, 3]], np.float32))
    ids, values = strongest(counts, 2)
    assert ids.tolist() == [[3, 2], [0, 0], [1, 0], [4, 0]]
    assert values.tolist() == [[5, 1], [0, 0], [2, 0], [3, 0]]


def test_rows_of_the_graph_stand_for_ids():
    graph = make_graph()
    fill_graph(graph, sparse.csr_matrix(np.array([[0, 3, 1, 2]] + [[0] * 4] * 3, np.float32)))
    assert graph.ids.numpy()[:3].tolist() == [[0, 0], [2, 4], [0, 0]]
    assert graph.counts.numpy()[1].tolist() == [3, 2]
    assert graph.shares.numpy()[1:5].tolist() == [1] * 4


def test_both_ways_with_cosine():
    graph = make_graph(both_ways=True, cosine=True)
    fill_graph(graph, sparse.csr_matrix(np.array([[0, 4, 1, 0]] + [[0] * 4] * 3, np.float32)))
    assert graph.ids.numpy()[1:4].tolist() == [[2, 3], [1, 0], [1, 0]]
    assert graph.counts.numpy()[2].tolist() == [4, 0]
    assert graph.shares.numpy()[1] == pytest.approx((5 / 2) ** -0.5)
