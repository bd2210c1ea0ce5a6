import numpy as np
from transformed_examples import transformed

from interest_migration.cold_items.held_out_items import renumber, without_items
from interest_migration.evaluation.spaces import take_examples
from interest_migration.examples.encode import write_examples
from interest_migration.ragged import read_examples
from schemas.features import CATEGORY_IDS, INTEREST_IDS, ITEM_IDS, NEXT_ITEMS, TRANSFORMED_FEATURES, Shape, label_name

COLD = np.array([False, False, True, False, False])
LABEL = label_name(NEXT_ITEMS)


def lists(column):
    return [column[row].tolist() for row in range(len(column))]


def examples():
    events = {ITEM_IDS: [[1, 2, 3], [2], []], CATEGORY_IDS: [[7, 8, 9], [6], []]}
    for spec in TRANSFORMED_FEATURES:
        if spec.shape is Shape.EVENTS:
            events.setdefault(spec.name, [[0, 0, 0], [0], []])
    return transformed(3, **events, **{LABEL: [[2, 3], [4], [2]], INTEREST_IDS: [[5], [], [6]]})


def test_ids_close_up_and_cold_items_become_unknown():
    assert renumber(COLD).tolist() == [0, 1, 3, 2, 3]


def test_events_and_labels_of_cold_items_go():
    found = without_items(examples(), COLD)
    assert lists(found[ITEM_IDS]) == [[1, 2], [], []]
    assert lists(found[CATEGORY_IDS]) == [[7, 9], [], []]
    assert lists(found[LABEL]) == [[2], [3], []]
    assert lists(found[INTEREST_IDS]) == [[5], [], [6]]


def test_rows_are_taken_in_order():
    found = take_examples(examples(), np.array([2, 0]))
    assert lists(found[ITEM_IDS]) == [[], [1, 2, 3]]
    assert lists(found[INTEREST_IDS]) == [[6], [5]]


def test_what_is_written_is_read_again(tmp_path):
    written = examples()
    write_examples(written, tmp_path / "a.gz")
    read = read_examples([str(tmp_path / "a.gz")], TRANSFORMED_FEATURES)
    for name, column in written.items():
        if isinstance(column, np.ndarray):
            np.testing.assert_array_equal(read[name], column)
        else:
            assert lists(read[name]) == lists(column)
