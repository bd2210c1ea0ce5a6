import numpy as np
import pytest

from interest_migration.trials.candidates import chance_measures, rank_measures, summarise


def rows(*ids, candidates=12):
    right = np.zeros((len(ids), candidates), bool)
    for row, places in enumerate(ids):
        right[row, places] = True
    return right


def test_one_right_candidate_at_each_rank():
    scores = -np.tile(np.arange(12.0), (3, 1))
    hits, ndcg = rank_measures(scores, rows([0], [2], [10]))
    assert hits.tolist() == [1, 1, 0]
    assert ndcg.tolist() == [1, 0.5, 0]


def test_several_right_candidates_share_the_ideal():
    _, ndcg = rank_measures(-np.arange(12.0)[np.newaxis], rows([0, 1]))
    assert ndcg == pytest.approx([1])
    _, ndcg = rank_measures(-np.arange(12.0)[np.newaxis], rows([0, 11]))
    assert ndcg == pytest.approx([1 / (1 + 1 / np.log2(3))])


def test_scores_that_say_nothing_are_as_good_as_chance():
    right = np.tile(rows([3], [1, 5, 7], candidates=40), (4000, 1))
    found = [column.mean() for column in rank_measures(np.zeros(right.shape), right)]
    assert found == pytest.approx([column.mean() for column in chance_measures(right)], abs=0.012)
    assert chance_measures(rows([3], candidates=40))[0] == pytest.approx([0.25])


def test_intervals_cover_the_mean():
    measured = summarise(np.tile([0.0, 1.0], 50), np.arange(100), resamples=100, seed=1)
    assert measured.value == 0.5
    assert 0.35 < measured.low < 0.5 < measured.high < 0.65
