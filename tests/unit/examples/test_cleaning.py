"""Duplicates that contradict each other, and users who are no people."""

import random
from typing import Any

import numpy as np
import pytest
from event_tables import ANNA, BORIS, DAY_S, Event, event, to_batch

from interest_migration.examples.build import build_features
from interest_migration.examples.settings import ExampleSettings, RateLimit
from interest_migration.examples.shard import prepare_shard


def set_aside(*events: Event, **values: Any) -> dict[int, str]:
    """Row -> reason."""
    shard, rejects = prepare_shard([to_batch(events)], ExampleSettings(**values))
    assert len(shard.time_s) + rejects.num_rows == len(events)
    assert rejects["source_row"].to_pylist() == sorted(rejects["source_row"].to_pylist())
    return dict(zip(rejects["source_row"].to_pylist(), rejects["reason"].to_pylist(), strict=True))


def test_of_rows_that_contradict_each_other_the_last_stays() -> None:
    events = [event(5, item="tea", brand="B"), event(5, item="tea", brand="A"), event(5, item="tea", price=1.0)]
    assert set_aside(*events) == {0: "conflicting_duplicate"}
    assert set_aside(*reversed(events)) == {1: "conflicting_duplicate"}


def test_the_place_in_the_files_decides_and_not_the_order_of_arrival() -> None:
    first = event(5, item="tea", brand="A", source_piece=0, source_row=9)
    last = event(5, item="tea", brand="B", source_piece=1, source_row=2)
    assert set_aside(last, first) == {9: "conflicting_duplicate"}


@pytest.mark.parametrize(
    "difference",
    [{"time_s": 6}, {"action": "view"}, {"item": "milk"}, {"item": None}, {"session": "s"}, {"user": BORIS}],
)
def test_acts_that_differ_do_not_contradict_each_other(difference: dict[str, Any]) -> None:
    assert set_aside(event(5, item="tea", brand="A"), {**event(5, item="tea", brand="B"), **difference}) == {}


def test_acts_without_an_item_are_not_compared() -> None:
    assert set_aside(event(5, "food"), event(5, "home")) == {}


def test_two_lines_of_a_product_in_a_basket_are_no_contradiction_unless_asked_for() -> None:
    basket = [event(5, item="tea", price=1.0, quantity=1.0), event(5, item="tea", price=1.0, quantity=2.0)]
    assert set_aside(*basket) == {}
    assert set_aside(*basket, conflicting_fields=("quantity",)) == {0: "conflicting_duplicate"}
    assert set_aside(*basket, conflicting_fields=("price",)) == {}


def test_every_field_is_judged_by_its_own_last_value() -> None:
    events = [
        event(5, "food", item="tea", brand="A"),
        event(5, "home", item="tea", brand="B"),
        event(5, item="tea", brand="A", text="only a brand"),
    ]
    assert set_aside(*events) == {0: "conflicting_duplicate", 1: "conflicting_duplicate"}


def _loses(events: list[Event], row: int, name: str) -> bool:
    """Whether a later row about the same act gives another value; repeated rows never matter, the first stays."""
    one = events[row]
    act = [
        other[name]
        for place, other in enumerate(events)
        if all(other[key] == one[key] for key in ("user", "time_s", "item", "session"))
        and other[name] is not None
        and other not in events[:place]
    ]
    return bool(one["item"] and one[name] and act[-1] != one[name])


def test_contradictions_are_found_as_a_loop_over_rows_finds_them() -> None:
    draw = random.Random(1)
    names: dict[str, list[Any]] = {
        "user": [ANNA, BORIS],
        "item": ["tea", "milk", None],
        "session": ["s", None],
        "brand": ["A", "B", None],
        "price": [1.0, 2.0, None],
    }
    events = [event(draw.choice([5, 6]), **{k: draw.choice(v) for k, v in names.items()}) for _ in range(300)]
    duplicates = {row for row, one in enumerate(events) if one in events[:row]}
    contradicted = {
        row for row in set(range(300)) - duplicates for name in ("brand", "price") if _loses(events, row, name)
    }
    expected = dict.fromkeys(duplicates, "duplicate") | dict.fromkeys(contradicted, "conflicting_duplicate")
    found = set_aside(*events, conflicting_fields=("brand", "price"))
    assert found == expected
    assert duplicates
    assert contradicted


BOT = (RateLimit(events=2, minutes=1),)


def test_a_user_beyond_the_limit_is_set_aside_whole() -> None:
    events = [event(second, user=ANNA) for second in (0, 30, 59, 9 * DAY_S)]
    people = [event(second, user=BORIS) for second in (0, 30, 60, 90)]
    assert set_aside(*events, *people, bot_limits=BOT) == dict.fromkeys(range(4), "bot_like_user")


def test_any_of_several_limits_makes_a_bot_and_none_makes_nobody_one() -> None:
    slow = [event(day * 3600, user=ANNA) for day in range(5)]
    limits = (*BOT, RateLimit(events=4, minutes=1440))
    assert set_aside(*slow, event(0, user=BORIS), bot_limits=limits) == dict.fromkeys(range(5), "bot_like_user")
    assert set_aside(*slow, *slow, *[event(0, item=str(n)) for n in range(9)], bot_limits=()).keys() == {5, 6, 7, 8, 9}


def test_the_limit_counts_what_a_user_did_and_not_what_was_delivered_twice() -> None:
    assert set(set_aside(*[event(0)] * 50, bot_limits=BOT).values()) == {"duplicate"}


def test_the_limit_is_named_in_the_detail() -> None:
    _, rejects = prepare_shard([to_batch([event(n) for n in range(3)])], ExampleSettings(bot_limits=BOT))
    assert set(rejects["detail"].to_pylist()) == {"an event of a user with more than 2 in 1 minutes"}


def test_limits_hold_for_random_users_as_a_loop_finds_them() -> None:
    draw = np.random.default_rng(2)
    times = {ANNA: draw.integers(0, 900, 60).tolist(), BORIS: draw.integers(0, 5000, 60).tolist()}
    events = [event(t, user=user, item=str(n)) for user in times for n, t in enumerate(times[user])]
    most = [max(sum(start <= t < start + 120 for t in times[user]) for start in times[user]) for user in times]
    for limit in range(1, max(most) + 2):
        found = set_aside(*events, bot_limits=(RateLimit(events=limit, minutes=2),))
        assert len(found) == sum(60 for worst in most if worst > limit)


def test_who_asks_for_a_prediction_is_never_a_bot() -> None:
    features = build_features(to_batch([event(n) for n in range(3)]), DAY_S, ExampleSettings(bot_limits=BOT))
    assert features.num_rows == 1
