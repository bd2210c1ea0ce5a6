"""Events of examples as columns."""

import numpy as np

from interest_migration.ragged import Ragged
from interest_migration.serving.event_columns import history_events, to_columns
from schemas.features import EVENT_AGE, EVENT_ITEM, RAW_FEATURES, Role, Shape

CUT_S = 1_500_000_000
EVENTS = 400


def make_history() -> dict[str, Ragged]:
    """Two users with one basket each; every event is another item, in no order of names."""
    rng = np.random.default_rng(4)
    kinds = {"string": object, "int64": np.int64, "float32": np.float32}
    offsets = np.array([0, EVENTS // 2, EVENTS])
    history = {}
    for spec in RAW_FEATURES:
        if spec.role is Role.INPUT and spec.shape is Shape.EVENTS:
            same = {"string": b"purchase", "int64": 0, "float32": 1.0}[spec.dtype]
            history[spec.name] = Ragged(np.full(EVENTS, same, kinds[spec.dtype]), offsets)
    items = np.array([f"item {number}".encode() for number in rng.permutation(EVENTS)], object)
    ages = np.full(EVENTS, 86_400, np.int64)
    return history | {EVENT_ITEM: Ragged(items, offsets), EVENT_AGE: Ragged(ages, offsets)}


def test_the_order_within_a_basket_is_kept():
    history = make_history()
    sent = to_columns(history_events(history, CUT_S), CUT_S)
    items = history[EVENT_ITEM].values
    assert sent["item"].tolist() == [items[: EVENTS // 2].tolist(), items[EVENTS // 2 :].tolist()]
