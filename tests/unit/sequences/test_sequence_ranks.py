import numpy as np
import pytest

from interest_migration.evaluation.bootstrap import Resamples
from interest_migration.ragged import Ragged
from interest_migration.sequences.ranks import rank_by_scores, summarise
from interest_migration.sequences.split import Cuts


def test_items_of_the_history_are_left_out_and_ties_count_at_their_expected_value():
    cuts = Cuts(np.arange(2), Ragged(np.array([1, 2]), np.array([0, 2, 2])), np.array([4, 1]))
    scores = np.array([[9, 8, 7, 6, 5], [1, 1, 1, 1, 1]], np.float32)
    values = rank_by_scores(lambda start, stop: scores[start:stop].copy(), cuts)
    assert values["reciprocal_rank"][0] == pytest.approx(1 / 2)
    assert values["ndcg_at_5"][0] == pytest.approx(1 / np.log2(3))
    assert values["reciprocal_rank"][1] == pytest.approx(np.mean(1 / np.arange(1, 6)))


def test_an_item_that_the_sequence_holds_already_is_not_found():
    cuts = Cuts(np.arange(1), Ragged(np.array([1]), np.array([0, 1])), np.array([1]))
    values = rank_by_scores(lambda *_: np.arange(30, 0, -1, dtype=np.float32)[np.newaxis], cuts)
    assert values["hit_at_20"].tolist() == [0]


def test_summary():
    found = summarise({"hit_at_5": np.array([1.0, 0.0, 1.0, 1.0])}, Resamples.draw(np.arange(4), 200, seed=0))
    assert found["hit_at_5"].value == 0.75
    assert found["hit_at_5"].low < 0.75 <= found["hit_at_5"].high
