"""Which requests are joined, and how rows of different lengths are."""

import numpy as np

from interest_migration.client import Event, User
from interest_migration.client.users import columns_of
from interest_migration.server.row_joins import join, join_key


def sent(*users):
    """As it comes off the wire: texts are bytes."""
    columns = columns_of([User([Event(5, action, brand="acme") for action in user], 9) for user in users])
    return {
        name: np.array([[text.encode() for text in row] for row in value], object) if value.dtype == object else value
        for name, value in columns.items()
    }


def test_rows_of_columns_are_filled_up_with_empty_slots():
    first, second = sent(["view", "purchase"]), sent(["view"], [])
    assert join_key(first) == join_key(second)
    joined = join([first, second])
    assert joined["action"].tolist() == [[b"view", b"purchase"], [b"view", b""], [b"", b""]]
    assert joined["time_s"].tolist() == [[5, 5], [5, 0], [0, 0]]
    assert joined["brand"].tolist() == [[b"acme", b"acme"], [b"acme", b""], [b"", b""]]
    assert joined["price"].tolist() == [[-1, -1]] * 3
    assert joined["cut_time_s"].tolist() == [9, 9, 9]


def test_a_size_of_one_stands_for_all_before_rows_are_filled_up():
    one = sent(["view", "cart"]) | {"brand": np.array([[b"acme"]], object)}
    two = sent(["view"], ["view"]) | {"platform": np.array([[b"web"]], object)}
    joined = join([one, two, sent(["view"] * 3)])
    assert joined["brand"][0].tolist() == [b"acme", b"acme", b""]
    assert joined["platform"].tolist() == [[b""] * 3, [b"web", b"", b""], [b"web", b"", b""], [b""] * 3]


def test_columns_that_do_not_fit_each_other_are_left_to_the_model():
    good = sent(["view", "cart"])
    assert join_key(good | {"brand": np.array([[b"a"] * 3], object)}) is None
    assert join_key(good | {"brand": np.array([[b"a"]] * 3, object)}) is None
    assert join_key(good | {"cut_time_s": np.array([], np.int64)}) is None


def test_other_inputs_are_joined_where_inner_shapes_agree():
    one, two = {"x": np.ones((1, 3)), "y": np.ones(1)}, {"x": np.zeros((2, 3)), "y": np.zeros(2)}
    assert join_key(one) == join_key(two) != join_key({"x": np.ones((1, 4)), "y": np.ones(1)})
    assert join([one, two])["x"].tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert join_key({"x": np.ones((1, 3)), "y": np.ones(2)}) is None


def test_histories_without_any_slot():
    none = {name: value[:, :0] if value.ndim > 1 else value for name, value in sent([]).items()}
    assert join_key(none) == join_key(sent(["view"]))
    assert join([none, sent(["view"])])["action"].tolist() == [[b""], [b"view"]]
