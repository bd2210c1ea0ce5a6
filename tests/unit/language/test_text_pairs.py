"""Pairs of texts and their batches, by hand."""

import math

import numpy as np
import pytest

from interest_migration.language.contrast import follower_losses
from interest_migration.language.finetune import _inclusion
from interest_migration.language.settings import LoraSettings
from interest_migration.language.text_pairs import Batch, TextPairs


def pairs(*rows: tuple[int, int, float]) -> TextPairs:
    anchors, followers, weights = zip(*rows, strict=True)
    return TextPairs(np.array(anchors), np.array(followers), np.array(weights, float))


def test_equal_texts_are_one_and_repeated_pairs_are_summed() -> None:
    found = pairs((0, 1, 1), (2, 1, 0.5), (1, 0, 2), (0, 2, 9), (3, 1, 9)).renumbered(
        np.array([0, 1, 0, 2]), np.array([True, True, False])
    )
    assert list(zip(found.anchors, found.followers, found.weights, strict=True)) == [(0, 1, 1.5), (1, 0, 2.0)]


def test_split_holds_out_a_share() -> None:
    learned, held_out = pairs(*((n, n + 1, 1) for n in range(20))).split(0.1, np.random.default_rng(0))
    assert (len(learned), len(held_out)) == (18, 2)
    assert not set(learned.anchors) & set(held_out.anchors)


def test_draws_follow_the_weights() -> None:
    drawn = pairs((0, 1, 1), (2, 3, 3)).draw(4000, np.random.default_rng(0))
    assert (drawn.anchors == 2).mean() == pytest.approx(0.75, abs=0.03)


def test_batch_numbers_texts_once() -> None:
    batch = Batch.of(pairs((7, 9, 1), (9, 7, 1), (4, 9, 1)))
    assert batch.texts.tolist() == [4, 7, 9]
    assert batch.anchors.tolist() == [1, 2, 0]
    assert batch.candidates.tolist() == [1, 2]
    assert batch.positives.tolist() == [1, 0, 1]
    assert batch.allowed.tolist() == [[False, True], [True, False], [True, True]]


def test_inclusion_is_the_chance_that_a_batch_holds_a_follower() -> None:
    found = _inclusion(pairs((0, 1, 3), (1, 2, 1)), 4, LoraSettings(batch_size=2))
    np.testing.assert_allclose(found[1:3], [1 - 0.25**2, 1 - 0.75**2], rtol=1e-6)
    np.testing.assert_allclose(found[[0, 3]], 1 - 0.875**2, rtol=1e-6)
    assert (_inclusion(pairs((0, 1, 3)), 3, LoraSettings(popularity_correction=0.0)) == 1).all()


def test_loss_by_hand() -> None:
    anchors, candidates = np.float32([[2, 0]]), np.float32([[1, 0], [0, 3], [5, 0]])
    loss = follower_losses(anchors, candidates, [0], [[True, True, False]], np.float32([1, 1, 1]), 1.0)
    assert float(loss[0]) == pytest.approx(math.log(1 + math.exp(-1)))
    cold = follower_losses(anchors, candidates, [0], [[True, True, False]], np.float32([0.5, 0.1, 1]), 0.5)
    right, wrong = math.exp(2) / 0.5, 1 / 0.1
    assert float(cold[0]) == pytest.approx(-math.log(right / (right + wrong)), rel=1e-5)
