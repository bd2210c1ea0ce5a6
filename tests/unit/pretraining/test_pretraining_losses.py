import numpy as np
import pytest
import tensorflow as tf

from interest_migration.pretraining.losses import contrastive_loss, masked_category_loss, masked_item_loss


def test_views_that_all_agree_leave_a_guess_among_the_users():
    views = tf.ones([2, 3])
    assert float(contrastive_loss(views, views, tf.constant([0, 1]), 0.5)) == pytest.approx(np.log(2), abs=1e-6)


def test_views_apart_by_hand():
    views = tf.constant([[2.0, 0.0], [0.0, 3.0]])  # cosines 1 with the own view and 0 with the other
    expected = np.log(np.exp(2) + 1) - 2
    assert float(contrastive_loss(views, views, tf.constant([0, 1]), 0.5)) == pytest.approx(expected, abs=1e-6)


def test_other_examples_of_a_user_are_no_rivals():
    views = tf.ones([2, 3])
    assert float(contrastive_loss(views, views, tf.constant([4, 4]), 0.5)) == pytest.approx(0, abs=1e-6)


def test_hidden_categories_by_hand():
    logits = tf.constant([[0.0, np.log(3.0)], [5.0, 5.0], [5.0, 5.0]])
    loss = masked_category_loss(logits, tf.constant([1, 0, 3]))  # ids 0 and 3 are outside the vocabulary
    assert float(loss) == pytest.approx(np.log(4))


def test_hidden_items_by_hand():
    logits = tf.zeros([3, 3])
    # The unknown item of place 2 is no rival, nor is another event of the same item.
    assert float(masked_item_loss(logits, tf.constant([5, 7, 0]), 9)) == pytest.approx(np.log(2))
    assert float(masked_item_loss(logits, tf.constant([5, 5, 0]), 9)) == pytest.approx(0)


def test_nothing_hidden_costs_nothing():
    nothing = tf.zeros([0], tf.int32)
    assert float(masked_category_loss(tf.zeros([0, 4]), nothing)) == 0
    assert float(masked_item_loss(tf.zeros([0, 0]), nothing, 9)) == 0
