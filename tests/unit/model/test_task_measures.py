import numpy as np
import pytest
import tensorflow as tf

from interest_migration.model.settings import VocabularySizes
from interest_migration.model.task_measures import task_labels, task_measures
from schemas.features import (
    CHURN,
    FUTURE_CATEGORIES,
    HORIZON_OBSERVED,
    HORIZONS,
    INTEREST_IDS,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    label_name,
)
from schemas.signatures import CHURN_TASKS, NEXT_CATEGORY_PREDICTED, RANKING_TASKS, label_key, measure_name, weight_key


class FixedModel:
    """Ranks three categories and two items as it is told."""

    sizes = VocabularySizes(
        categories=3, items=2, parents=1, children=1, brands=1, platforms=1, price_buckets=1, sessions=1
    )

    def item_scores(self, outputs):
        return outputs["item_query"]

    def fresh(self, batch):
        """Category 1 alone was touched recently."""
        return tf.tile(tf.constant([[False, True, True]]), [len(batch[INTEREST_IDS]), 1])


OUTPUTS = {
    "next_category": tf.constant([[0.1, 0.9, 0.5], [0.1, 0.9, 0.5]]),
    "item_query": tf.constant([[1.0, 2.0], [1.0, 2.0]]),
    **{f"propensity_{horizon}": tf.constant([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]) for horizon in HORIZONS},
    **{f"new_interest_{horizon}": tf.constant([[9.0, 2.0, 1.0], [9.0, 2.0, 1.0]]) for horizon in HORIZONS},
    **{f"churn_{horizon}": tf.constant([0.0, 100.0]) for horizon in HORIZONS},
}
# The first example is known; touched category 1 a day ago and category 2 long ago. The second knows nothing.
BATCH = {
    INTEREST_IDS: tf.constant([[1, 2], [0, 0]]),
    label_name(NEXT_CATEGORIES): tf.constant([[3, 2], [0, 4]]),
    label_name(NEXT_ITEMS): tf.constant([[1], [3]]),
    **{label_name(CHURN[horizon]): tf.constant([1, -1]) for horizon in HORIZONS},
    **{label_name(HORIZON_OBSERVED[horizon]): tf.constant([1, 0]) for horizon in HORIZONS},
    **{label_name(FUTURE_CATEGORIES[horizon]): tf.constant([[1, 3], [1, 0]]) for horizon in HORIZONS},
    **{label_name(NEW_CATEGORIES[horizon]): tf.constant([[3], [1]]) for horizon in HORIZONS},
}


def test_measures_of_the_known_example():
    found = {name: float(value[0]) for name, value in task_measures(FixedModel(), BATCH, OUTPUTS).items()}
    assert found["churn_short"] == 0.5
    assert found[NEXT_CATEGORY_PREDICTED] == 2
    assert found["next_category_hit_at_1"] == 1
    assert found["next_item_reciprocal_rank"] == 0.5
    assert found["propensity_short_user_auc"] == pytest.approx(0.5)
    # Category 1 is no candidate; of 2 and 3, the positive 3 comes last.
    assert found["new_interest_long_user_auc"] == 0
    assert found["new_interest_long_ndcg_at_10"] == pytest.approx(1 / np.log2(3))


def test_every_promised_output_is_there():
    expected = {measure_name(task, measure) for task, measures in RANKING_TASKS.items() for measure in measures}
    assert set(task_measures(FixedModel(), BATCH, OUTPUTS)) == expected | {*CHURN_TASKS, NEXT_CATEGORY_PREDICTED}
    keys = {function(task) for task in (*CHURN_TASKS, *RANKING_TASKS) for function in (label_key, weight_key)}
    assert set(task_labels(FixedModel(), BATCH, OUTPUTS)) == keys


def test_weights_and_labels():
    found = {name: value.numpy().tolist() for name, value in task_labels(FixedModel(), BATCH, OUTPUTS).items()}
    for task in (*CHURN_TASKS, *RANKING_TASKS):
        assert found[weight_key(task)] == [1, 0], task
    assert found[label_key("churn_long")] == [1, 0]
    assert found[label_key("next_category")] == [2, 0]


def test_a_wrong_prediction_is_labelled_with_the_smallest_true_id():
    batch = BATCH | {label_name(NEXT_CATEGORIES): tf.constant([[3, 1], [0, 0]])}
    found = task_labels(FixedModel(), batch, OUTPUTS)
    assert found[label_key("next_category")].numpy().tolist() == [1, 0]


def test_a_label_that_is_no_candidate_is_no_new_interest():
    batch = BATCH | {label_name(NEW_CATEGORIES["short"]): tf.constant([[1], [0]])}
    assert task_labels(FixedModel(), batch, OUTPUTS)[weight_key("new_interest_short")].numpy().tolist() == [0, 0]
