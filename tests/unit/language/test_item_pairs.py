import numpy as np
from transformed_examples import transformed

from interest_migration.language.item_pairs import pair_items


def test_items_of_consecutive_steps_are_pairs():
    examples = transformed(
        1,
        user=["u"],
        cut_time_s=[100],
        item_ids=[[1, 2, 3]],
        category_ids=[[0, 0, 0]],
        action_ids=[[1, 1, 1]],
        step_index=[[1, 0, 0]],
        label_next_items=[[1]],
    )
    pairs = pair_items(examples, 3)
    found = sorted(zip(pairs.anchors.tolist(), pairs.followers.tolist(), pairs.weights.tolist(), strict=True))
    assert found == [(0, 1, 1), (0, 2, 1), (1, 0, 1), (2, 0, 1)]
    assert pairs.anchors.dtype == np.int64
