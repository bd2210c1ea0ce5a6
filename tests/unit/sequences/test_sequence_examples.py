import numpy as np

from interest_migration.examples.encode import write_examples
from interest_migration.ragged import Ragged, read_examples
from interest_migration.sequences.examples import count_values, describe_items, to_examples
from interest_migration.sequences.split import Cuts
from schemas.features import (
    BRAND_IDS,
    CATEGORY_IDS,
    CHILD_IDS,
    ITEM_IDS,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    PARENT_IDS,
    STEP_INDEX,
    TRANSFORMED_FEATURES,
    label_name,
)

ATTRIBUTES = Ragged(np.array([2, 5, 6, 9, 3]), np.array([0, 4, 5, 5]))


def test_attributes_go_from_broad_to_narrow_and_the_rarest_is_the_brand():
    columns = describe_items(ATTRIBUTES, 3)
    assert columns[PARENT_IDS].tolist() == [0, 2, 3, 0]
    assert columns[CATEGORY_IDS].tolist() == [0, 5, 0, 0]
    assert columns[CHILD_IDS].tolist() == [0, 6, 0, 0]
    assert columns[BRAND_IDS].tolist() == [0, 9, 0, 0]
    assert count_values(3, ATTRIBUTES).brands == 9


def test_examples_are_read_back_as_the_training_reads_them(tmp_path):
    cuts = Cuts(np.array([4, 7]), Ragged(np.array([3, 1, 2]), np.array([0, 2, 3])), np.array([2, 1]))
    write_examples(to_examples(cuts, describe_items(ATTRIBUTES, 3)), tmp_path / "examples")
    read = read_examples([str(tmp_path / "examples")], TRANSFORMED_FEATURES)
    assert read[ITEM_IDS].values.tolist() == [3, 1, 2]
    assert read[STEP_INDEX].values.tolist() == [1, 0, 0]
    assert read[PARENT_IDS].values.tolist() == [0, 2, 3]
    assert read[label_name(NEXT_ITEMS)].values.tolist() == [2, 1]
    assert read[label_name(NEXT_CATEGORIES)].lengths.tolist() == [0, 1]


def test_without_attributes_items_stand_for_themselves():
    assert not any(ids.any() for ids in describe_items(None, 3).values())
    assert count_values(3, None).categories == 1
