import numpy as np
import pytest
from transformed_examples import transformed

from interest_migration.across_platforms.platform import Platform, as_foreign, cut_in_two
from interest_migration.language.text_vectors import TextVectors
from interest_migration.model.settings import VocabularySizes
from schemas.features import (
    ACTION_IDS,
    CATEGORY_IDS,
    INTEREST_IDS,
    ITEM_IDS,
    PARENT_IDS,
    SESSION_INDEX,
    TEXT_IDS,
    TRANSFORMED_FEATURES,
    USER,
    Shape,
)

OTHER = {"categories": 3, "items": 5, "parents": 2, "children": 4, "brands": 1, "platforms": 1}
SIZES = VocabularySizes(**OTHER, price_buckets=4, sessions=3)
ITEMS = 5
RNG = np.random.default_rng(0)
ROWS = RNG.integers(1, ITEMS + 1, [40, 4]).tolist()
PARENTS = [0, 1, 1, 2, 2, 3]  # of item id


def lists(column):
    return [column[row].tolist() for row in range(len(column))]


def examples(**columns):
    count = len(columns[ITEM_IDS])
    shape = columns[ITEM_IDS]
    events = {
        spec.name: [[0] * len(row) for row in shape] for spec in TRANSFORMED_FEATURES if spec.shape is Shape.EVENTS
    }
    return transformed(count, **(events | columns))


def platform():
    parents = [[PARENTS[item] for item in row] for row in ROWS]
    users = [f"user {place}".encode() for place in range(40)]
    made = examples(**{ITEM_IDS: ROWS, PARENT_IDS: parents, USER: users})
    vectors = TextVectors(
        np.arange(2 * (ITEMS + 2)).reshape(-1, 2).astype(np.float16), np.zeros((3, 2), np.float16), "d"
    )
    return Platform({"train": made, "test": made}, SIZES, vectors, 56.0)


def test_a_foreign_platform_knows_actions_but_no_values():
    own = examples(
        **{ITEM_IDS: [[3, 0, 8]], CATEGORY_IDS: [[1, 9, 0]], INTEREST_IDS: [[7]], ACTION_IDS: [[2, 1, 1]]},
        **{TEXT_IDS: [[4, 0, 0]], SESSION_INDEX: [[7, 1, 0]]},
    )
    found = as_foreign(own, SIZES)
    assert lists(found[ITEM_IDS]) == [[6, 0, 6]]
    assert lists(found[CATEGORY_IDS]) == [[4, 4, 0]]
    assert lists(found[INTEREST_IDS]) == [[4]]
    assert lists(found[ACTION_IDS]) == [[2, 1, 1]]
    assert lists(found[TEXT_IDS]) == [[0, 0, 0]]
    assert lists(found[SESSION_INDEX]) == [[2, 1, 0]]


@pytest.mark.parametrize("by", ["items", "departments"])
def test_halves_share_no_user_and_no_item(by):
    halves = cut_in_two(platform(), by, seed=1)
    users = [set(half.splits["train"][USER]) for half in halves]
    texts = [{tuple(row) for row in half.vectors.items[1:-1].tolist()} for half in halves]
    assert users[0] | users[1] == {f"user {place}".encode() for place in range(40)}
    assert not users[0] & users[1]
    assert not texts[0] & texts[1]
    assert len(texts[0] | texts[1]) == ITEMS
    for half in halves:
        assert half.sizes.items == len(half.vectors.items) - 2
        read = half.splits["test"][ITEM_IDS]
        assert read.values.max() <= half.sizes.items
        kinds = half.splits["test"][PARENT_IDS].values
        if by == "departments":  # all items of a department lie in one half
            others = [other.splits["test"][PARENT_IDS].values for other in halves if other is not half]
            assert not set(kinds) & set(others[0])


def test_ids_and_vectors_of_a_half_stay_together():
    whole = platform()
    for half in cut_in_two(whole, "items", seed=1):
        for row, user in enumerate(half.splits["train"][USER]):
            place = int(user.split()[1])
            own = half.vectors.items[half.splits["train"][ITEM_IDS][row]].tolist()
            before = whole.vectors.items[ROWS[place]].tolist()
            kept = {tuple(vector) for vector in half.vectors.items[1:-1].tolist()}
            assert own == [vector for vector in before if tuple(vector) in kept]
