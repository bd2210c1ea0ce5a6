import numpy as np
import pytest
from transformed_examples import transformed

from interest_migration.cold_items.scoring import compare_methods, constant, rows_of
from interest_migration.cold_items.simple_methods import count_scores, describe_items, own_popularity
from interest_migration.evaluation.bootstrap import Resamples
from interest_migration.ragged import Ragged
from schemas.features import CHILD_IDS, ITEM_IDS, TRANSFORMED_FEATURES, Shape

# Items 1 to 4, of the kinds 1, 1, 2, 2; items 2 and 4 are cold.
COLD = np.array([False, False, True, False, True, False])
KINDS = [1, 1, 2, 2]


def shop(rows, kinds=None):
    events = {
        spec.name: [[0] * len(row) for row in rows] for spec in TRANSFORMED_FEATURES if spec.shape is Shape.EVENTS
    }
    given = kinds or [[KINDS[item - 1] for item in row] for row in rows]
    return transformed(len(rows), **(events | {ITEM_IDS: rows, CHILD_IDS: given}))


def test_a_catalogue_knows_the_kind_of_every_item():
    assert describe_items([shop([[1, 4]]), shop([[2, 3]])], 4)[:, 2].tolist() == [0, *KINDS, 0]


def test_kinds_are_counted_in_what_training_sees():
    catalogue = describe_items([shop([[1, 2, 3, 4]])], 4)
    warm = shop([[1, 1, 1, 2], [3]], [[1, 1, 1, 2], [0]])  # ids closed up: 1 is item 1, 2 is item 3, 3 is unknown
    found = count_scores(warm, shop([[2], [1, 3]], [[2], [1, 0]]), COLD, catalogue)
    assert found["popularity"].tolist() == [[3, 1]] * 2
    np.testing.assert_allclose(found["popularity per item"], [[(3 + 5 * 2) / 6, (1 + 5 * 2) / 6]] * 2)
    np.testing.assert_allclose(found["own categories"], [[0.75, 1.25], [1.75, 0.25]])


def test_the_popularity_of_the_item_itself_is_counted_where_it_was_not_taken_out():
    assert own_popularity(shop([[2, 1], [2, 4]]), COLD).tolist() == [2, 1]


def test_methods_are_compared_on_the_same_examples():
    right = Ragged(np.array([0, 1, 1]), np.array([0, 1, 2, 3]))
    many = np.zeros([3, 30])
    many[:, 1] = 1
    methods = {"best": rows_of(many), "chance": constant(np.zeros(30))}
    means, differences = compare_methods(methods, right, "best", Resamples.draw(np.arange(3), 50, 0))
    assert means["best"]["hr_at_10"].value == pytest.approx((2 + 9 / 29) / 3)
    assert means["chance"]["hr_at_10"].value == pytest.approx(1 / 3)
    lead = differences["chance"]["hr_at_10"]
    assert lead.value == pytest.approx((2 + 9 / 29) / 3 - 1 / 3)
    assert lead.low <= lead.value <= lead.high
    assert "best" not in differences
