import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformed_examples import transformed

from interest_migration.errors import ConfigError
from interest_migration.training.label_share import choose_users, hide_labels
from interest_migration.training.settings import TrainingSettings
from schemas.features import CHURN, NEXT_CATEGORIES, label_name

USERS = np.array([f"user-{number}".encode() for number in range(2000)], object)


@given(st.floats(0.001, 1), st.floats(0.001, 1), st.integers(0, 5))
def test_a_smaller_share_is_part_of_a_larger_one(one, other, seed):
    small, large = sorted([one, other])
    users = USERS[:200]
    assert not (choose_users(users, small, seed) & ~choose_users(users, large, seed)).any()


def test_about_the_share_is_chosen_and_the_seed_decides_whom():
    chosen = choose_users(USERS, 0.2, 0)
    assert 0.17 < chosen.mean() < 0.23
    assert (chosen == choose_users(USERS, 0.2, 0)).all()
    assert (chosen != choose_users(USERS, 0.2, 1)).any()


def test_the_choice_of_a_user_does_not_depend_on_the_others():
    chosen = choose_users(USERS, 0.3, 0)
    assert (choose_users(USERS[::-1][:700], 0.3, 0) == chosen[::-1][:700]).all()


def test_everybody_at_one():
    assert choose_users(USERS, 1.0, 0).all()


def test_labels_of_users_left_out_are_hidden():
    churn, following = label_name(CHURN["short"]), label_name(NEXT_CATEGORIES)
    examples = transformed(
        2, user=[b"a", b"b"], **{churn: [1, 0], following: [[1, 2], [3]], "category_ids": [[4], [5]]}
    )
    seed = next(seed for seed in range(99) if choose_users(examples["user"], 0.5, seed).tolist() == [False, True])
    shown = hide_labels(examples, 0.5, seed)
    assert shown[churn].tolist() == [-1, 0]
    assert [list(row) for row in (shown[following][0], shown[following][1])] == [[], [3]]
    assert shown["category_ids"] is examples["category_ids"]
    assert (hide_labels(examples, 0.0, seed)[churn] == -1).all()


@pytest.mark.parametrize("share", [0, 1.5])
def test_shares_outside_the_range(share):
    with pytest.raises(ConfigError, match="label_share"):
        TrainingSettings.from_values({"label_share": share}, source="test")
