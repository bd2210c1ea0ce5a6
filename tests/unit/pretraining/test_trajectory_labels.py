import numpy as np
import pytest
from transformed_examples import transformed

from interest_migration.pretraining.labels import COLUMNS, trajectory_labels
from schemas.features import TRANSFORMED_FEATURES, Role, label_name

DAY = 86_400
SHORT = {"short": 14.0}


def labels_of(**columns):
    count = len(columns["cut_time_s"])
    found = trajectory_labels(transformed(count, **columns), SHORT)
    return {
        name.removeprefix("label_"): [list(row) for row in (value[i] for i in range(count))]
        if hasattr(value, "offsets")
        else value.tolist()
        for name, value in found.items()
    }


@pytest.fixture(scope="module")
def worked():
    """The example of the module: tea before day 10, then milk and pens on day 21, cut again on day 24."""
    return labels_of(
        user=[b"a", b"a"],
        cut_time_s=[10 * DAY, 24 * DAY],
        interest_ids=[[1], [2, 1]],
        interest_count=[[1.0], [2.0, 1.0]],
        interest_recency_days=[[1.0], [3.0, 15.0]],
        category_ids=[[1], [1, 2, 2]],
        item_ids=[[5], [5, 8, 7]],
        action_ids=[[1], [1, 1, 1]],
        step_index=[[0], [1, 0, 0]],
    )


def test_a_later_profile_tells_the_categories_in_between(worked):
    assert worked["horizon_observed_short"] == [1, 0]
    assert worked["future_categories_short"] == [[2], []]
    assert worked["churn_short"] == [0, -1]


def test_a_later_history_tells_the_next_step(worked):
    assert worked["next_categories"] == [[2], []]
    assert worked["next_items"] == [[7, 8], []]
    assert worked["switched"] == [1, -1]


def test_a_user_who_did_nothing_in_between_has_churned():
    found = labels_of(
        user=[b"a", b"a"],
        cut_time_s=[10 * DAY, 24 * DAY],
        interest_ids=[[1], [1]],
        interest_count=[[1.0], [1.0]],
        interest_recency_days=[[1.0], [15.0]],
        category_ids=[[1], [1]],
        item_ids=[[5], [5]],
        action_ids=[[1], [1]],
        step_index=[[0], [0]],
    )
    assert found["churn_short"] == [1, -1]
    assert found["next_categories"] == [[], []]
    assert found["switched"] == [-1, -1]


def test_the_nearest_later_cut_of_the_same_user_counts():
    found = labels_of(
        user=[b"a", b"b", b"a", b"a", b"a"],
        cut_time_s=[0, 14 * DAY, 5 * DAY, 12 * DAY, 18 * DAY],  # 12 days are nearer to 14 than 18 are; 5 are too few
        interest_ids=[[], [9], [1], [2], [3]],
        interest_recency_days=[[], [0.5], [0.5], [0.5], [0.5]],
        interest_count=[[], [1.0], [1.0], [1.0], [1.0]],
    )
    assert found["future_categories_short"][0] == [2]
    assert found["horizon_observed_short"] == [1, 0, 1, 0, 0]


def test_the_order_of_examples_does_not_matter():
    rng = np.random.default_rng(0)
    cuts = rng.choice(60, 8, replace=False) * DAY
    columns = {"user": [b"a", b"b"] * 4, "cut_time_s": cuts.tolist()}
    profiles = [[int(value)] for value in rng.integers(1, 9, 8)]
    whole = labels_of(**columns, interest_ids=profiles, interest_recency_days=[[2.0]] * 8, interest_count=[[1.0]] * 8)[
        "future_categories_short"
    ]
    order = rng.permutation(8)
    mixed = {name: [values[i] for i in order] for name, values in columns.items()}
    turned = labels_of(
        **mixed,
        interest_ids=[profiles[i] for i in order],
        interest_recency_days=[[2.0]] * 8,
        interest_count=[[1.0]] * 8,
    )["future_categories_short"]
    assert turned == [whole[i] for i in order]


def test_no_label_is_read():
    labels = {spec.name for spec in TRANSFORMED_FEATURES if spec.role is Role.LABEL}
    assert not labels & set(COLUMNS)


def test_counts_that_do_not_fit_the_history_tell_nothing():
    found = labels_of(
        user=[b"a", b"a"],
        cut_time_s=[10 * DAY, 24 * DAY],
        interest_ids=[[1], [1]],
        interest_count=[[1.0], [3.0]],
        interest_recency_days=[[1.0], [3.0]],
        category_ids=[[1], [1, 1, 1]],
        item_ids=[[5], [5, 5, 5]],
        action_ids=[[1], [1, 1, 1]],
        step_index=[[0], [0, 0, 0]],  # two new events of a step of three
    )
    assert found["next_categories"] == [[], []]


def test_every_label_of_the_model_is_given():
    found = trajectory_labels(transformed(1, user=[b"a"]), {"short": 14, "long": 28})
    assert set(found) == {spec.name for spec in TRANSFORMED_FEATURES if spec.role is Role.LABEL}
    assert label_name("churn_long") in found
