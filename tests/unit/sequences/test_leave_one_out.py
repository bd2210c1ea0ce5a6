import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from interest_migration.ragged import Ragged
from interest_migration.sequences.split import split


def sequences(rows):
    return Ragged(np.concatenate([np.array(row) for row in rows]), np.cumsum([0, *map(len, rows)]))


def pairs(cuts):
    return [(cuts.history[row].tolist(), int(cuts.label[row])) for row in range(len(cuts.user))]


def test_the_last_items_are_for_test_and_validation():
    cuts = split(sequences([[7, 3, 9, 4, 5], [1, 2, 6]]), longest=50)
    assert pairs(cuts["train"]) == [([7, 3], 9)]
    assert pairs(cuts["eval"]) == [([7, 3, 9], 4), ([1], 2)]
    assert pairs(cuts["test"]) == [([7, 3, 9, 4], 5), ([1, 2], 6)]


@given(st.lists(st.integers(3, 40), min_size=1, max_size=8), st.integers(1, 12))
def test_every_training_item_but_the_first_is_a_target_once_and_no_later_item_is_seen(lengths, longest):
    rows = [list(range(100 * row + 1, 100 * row + 1 + length)) for row, length in enumerate(lengths)]
    cuts = split(sequences(rows), longest)
    targets = []
    for (history, label), user in zip(pairs(cuts["train"]), cuts["train"].user, strict=True):
        training = rows[user][:-2]
        assert [*history, label] == training[: training.index(label) + 1][-len(history) - 1 :]
        assert 1 <= len(history) <= longest
        targets += [*history[1:], label] if len(history) < longest else [*history, label][1:]
    assert sorted(targets) == sorted(item for row in rows for item in row[1:-2])
    for (history, label), row in zip(pairs(cuts["test"]), rows, strict=True):
        assert label == row[-1]
        assert history == row[:-1][-longest:]
