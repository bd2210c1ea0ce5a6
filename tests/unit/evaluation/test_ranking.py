import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, roc_auc_score

from interest_migration.errors import ContractError
from interest_migration.evaluation.ranking import (
    concatenate_ranks,
    hit_at,
    ndcg_at,
    rank_labels,
    reciprocal_rank,
    user_auc,
)
from interest_migration.ragged import Ragged


def _ragged(rows):
    values = np.array([value for row in rows for value in row], np.int64)
    return Ragged(values, np.cumsum([0, *(len(row) for row in rows)]))


def _rank(scores, rows, **options):
    return rank_labels(np.array(scores, float), _ragged(rows), **options)


def test_worked_example_of_the_module():
    ranks = _rank([[5, 3, 3, 1]], [[1, 3]])
    assert ranks.higher.tolist() == [1, 3]
    assert ranks.tied.tolist() == [2, 1]
    assert hit_at(ranks, 1).tolist() == [0]
    assert hit_at(ranks, 2).tolist() == [0.5]
    assert reciprocal_rank(ranks).tolist() == pytest.approx([(1 / 2 + 1 / 3) / 2])
    assert user_auc(ranks).tolist() == [0.125]


def test_without_ties():
    ranks = _rank([[0.1, 0.7, 0.4, 0.2]], [[2]])
    assert hit_at(ranks, 1).tolist() == [0]
    assert hit_at(ranks, 5).tolist() == [1]
    assert reciprocal_rank(ranks).tolist() == [0.5]
    assert ndcg_at(ranks, 10).tolist() == pytest.approx([1 / math.log2(3)])
    assert user_auc(ranks).tolist() == pytest.approx([2 / 3])


def test_ndcg_of_two_labels_and_cut_off_by_hand():
    ranks = _rank([[4, 3, 2, 1]], [[0, 2]])
    assert ndcg_at(ranks, 10).tolist() == pytest.approx([(1 + 1 / 2) / (1 + 1 / math.log2(3))])
    assert ndcg_at(ranks, 2).tolist() == pytest.approx([1 / (1 + 1 / math.log2(3))])


def test_constant_scores_earn_what_chance_earns():
    ranks = _rank([[0.0] * 100], [[7]])
    assert hit_at(ranks, 10).tolist() == pytest.approx([0.1])
    assert user_auc(ranks).tolist() == [0.5]
    assert reciprocal_rank(ranks).tolist() == pytest.approx([sum(1 / rank for rank in range(1, 101)) / 100])
    discounts = sum(1 / math.log2(rank + 1) for rank in range(1, 11))
    assert ndcg_at(ranks, 10).tolist() == pytest.approx([discounts / 100])


def test_examples_without_labels_are_undefined():
    ranks = _rank([[1, 2], [1, 2]], [[], [1]])
    for values in (hit_at(ranks, 1), ndcg_at(ranks, 1), reciprocal_rank(ranks), user_auc(ranks)):
        assert math.isnan(values[0])
        assert values[1] == 1


def test_user_auc_needs_a_negative():
    assert math.isnan(user_auc(_rank([[1, 2]], [[0, 1]]))[0])


def test_only_candidates_are_ranked():
    ranks = _rank([[9, 8, 2, 1]], [[2]], candidates=np.array([[False, False, True, True]]))
    assert hit_at(ranks, 1).tolist() == [1]
    assert user_auc(ranks).tolist() == [1]
    assert ranks.candidates.tolist() == [2]


def test_a_label_outside_the_candidates_is_an_error():
    with pytest.raises(ContractError, match="expected every label to be a candidate"):
        _rank([[1, 2]], [[0]], candidates=np.array([[False, True]]))


def test_rows_must_match():
    with pytest.raises(ContractError, match="expected scores of 2 examples, received 1"):
        _rank([[1, 2]], [[0], [1]])


def test_minus_infinity_is_last():
    assert reciprocal_rank(_rank([[-np.inf, 0, 1]], [[0]])).tolist() == pytest.approx([1 / 3])


def test_no_examples():
    assert len(hit_at(rank_labels(np.zeros((0, 3)), _ragged([])), 1)) == 0


def test_blocks_join():
    scores, rows = [[3, 2, 1], [1, 2, 3], [1, 1, 1]], [[1], [], [0, 2]]
    joined = concatenate_ranks([_rank(scores[:1], rows[:1]), _rank(scores[1:], rows[1:])])
    whole = _rank(scores, rows)
    assert np.array_equal(ndcg_at(joined, 2), ndcg_at(whole, 2), equal_nan=True)


tied_rows = st.tuples(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.sets(st.integers(0, 5), max_size=4))


@settings(deadline=None, max_examples=40)
@given(tied_rows)
def test_ties_equal_the_mean_over_all_orders(row):
    scores, labels = row
    ranks = _rank([scores], [sorted(labels)])
    if not labels:
        return
    seen = {"hit": [], "reciprocal": [], "ndcg": []}
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(labels), 3) + 1))
    for noise in itertools.permutations(range(6)):
        order = sorted(range(6), key=lambda column: (-scores[column], noise[column]))
        places = sorted(order.index(label) + 1 for label in labels)
        seen["hit"].append(places[0] <= 3)
        seen["reciprocal"].append(1 / places[0])
        seen["ndcg"].append(sum(1 / math.log2(place + 1) for place in places if place <= 3) / ideal)
    assert hit_at(ranks, 3)[0] == pytest.approx(np.mean(seen["hit"]))
    assert reciprocal_rank(ranks)[0] == pytest.approx(np.mean(seen["reciprocal"]))
    assert ndcg_at(ranks, 3)[0] == pytest.approx(np.mean(seen["ndcg"]))


@settings(deadline=None, max_examples=30)
@given(st.lists(tied_rows, min_size=1, max_size=6))
def test_depth_changes_nothing_above_it(rows):
    scores, labels = [row[0] for row in rows], [sorted(row[1]) for row in rows]
    whole, partial = _rank(scores, labels), _rank(scores, labels, depth=2)
    for measure in (lambda r: hit_at(r, 2), lambda r: ndcg_at(r, 2), reciprocal_rank):
        assert measure(partial) == pytest.approx(measure(whole), nan_ok=True)


def test_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    scores, truth = np.round(rng.normal(size=(20, 15)), 1), rng.random((20, 15)) < 0.3
    truth[:, 0] = True
    ranks = rank_labels(scores, _ragged([np.flatnonzero(row).tolist() for row in truth]))
    assert ndcg_at(ranks, 10).mean() == pytest.approx(ndcg_score(truth, scores, k=10))
    areas = [roc_auc_score(positives, row) for positives, row in zip(truth, scores, strict=True)]
    assert user_auc(ranks).tolist() == pytest.approx(areas)
