import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from interest_migration.gates.classification import confusion, score_classes


def test_two_classes_by_hand() -> None:
    # labels 1 1 2, predictions 1 2 2
    scores = score_classes({(1, 1): 1.0, (1, 2): 1.0, (2, 2): 1.0})
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["macro_precision"] == pytest.approx((1 + 1 / 2) / 2)
    assert scores["macro_recall"] == pytest.approx((1 / 2 + 1) / 2)
    assert scores["macro_f1"] == pytest.approx(2 / 3)
    assert scores["weighted_precision"] == pytest.approx(2 / 3 * 1 + 1 / 3 * 1 / 2)
    assert scores["weighted_recall"] == pytest.approx(2 / 3 * 1 / 2 + 1 / 3 * 1)


def test_nothing_is_undefined() -> None:
    assert all(math.isnan(value) for value in score_classes({}).values())


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40))
def test_agrees_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    labels, predictions = zip(*pairs, strict=True)
    counts: dict[tuple[int, int], float] = {}
    for pair in pairs:
        counts[pair] = counts.get(pair, 0.0) + 1
    scores = score_classes(counts)
    for average in ("macro", "weighted"):
        expected = precision_recall_fscore_support(labels, predictions, average=average, zero_division=0)
        received = [scores[f"{average}_{name}"] for name in ("precision", "recall", "f1")]
        assert received == pytest.approx(expected[:3])


def test_confusion_puts_the_rest_last() -> None:
    pairs = {(7, 7): 5.0, (7, 9): 1.0, (9, 7): 2.0, (9, 4): 1.0, (4, 9): 1.0}
    classes, counts = confusion(pairs, classes=2)
    assert classes.tolist() == [7, 9]
    assert counts.tolist() == [[5, 1, 0], [2, 0, 1], [0, 1, 0]]


def test_confusion_of_nothing() -> None:
    classes, counts = confusion({}, classes=3)
    assert classes.tolist() == []
    assert np.array_equal(counts, [[0.0]])
