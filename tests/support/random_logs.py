"""Hypothesis strategies: small behaviour logs full of ties and boundary cases, and settings for them."""

import random

from event_tables import ANNA, BORIS, CLARA, DAY_S, Event
from hypothesis import strategies as st

from interest_migration.examples.log import TimeRange
from interest_migration.examples.settings import ExampleSettings, Horizons

LOG_DAYS = 40
LOG = TimeRange(0, LOG_DAYS * DAY_S)

_VALUES: dict[str, list[object]] = {
    "user": [ANNA, BORIS, CLARA],
    "action": ["purchase", "purchase", "view", "search"],
    "item": [None, "tea", "milk", "bread"],
    "category_path": [None, "food > dairy > milk", "food > bakery", "food", "home > lamps > desk"],
    "brand": [None, "acme"],
    "price": [None, 0.0, 0.1, 2.5],
    "quantity": [None, 3.0],
    "session": [None, "s1", "s2"],
    "platform": [None, "app", "web"],
}


def make_log(seed: int, count: int) -> list[Event]:
    """Returns random events with many ties and with times on, and one second beside, the edges of days."""
    draw = random.Random(seed)
    busy = [draw.randrange(LOG_DAYS) * DAY_S for _ in range(8)]
    return [
        {
            "time_s": _draw_time(draw, busy),
            **{name: draw.choice(values) for name, values in _VALUES.items()},
        }
        for _ in range(count)
    ]


def _draw_time(draw: random.Random, busy: list[int]) -> int:
    kind, day_s = draw.random(), draw.randrange(1, LOG_DAYS) * DAY_S
    if kind < 0.4:
        return draw.choice(busy) + draw.choice([0, 0, 600, 3600])
    if kind < 0.8:
        return day_s - draw.choice([0, 0, 1])
    return draw.randrange(LOG_DAYS * DAY_S)


LOGS = st.builds(make_log, st.integers(0, 10**6), st.sampled_from([0, 1, 3, 10, 40, 120]))

SETTINGS = st.builds(
    ExampleSettings,
    conflicting_fields=st.just(()),  # these logs contradict themselves all the time
    max_events=st.integers(1, 8),
    max_interests=st.integers(1, 4),
    interest_level=st.integers(0, 2),
    interest_actions=st.sampled_from([("purchase",), ("purchase", "view", "search"), ("view",)]),
    churn_actions=st.sampled_from([("purchase",), ()]),
    active_days=st.sampled_from([3, 10, 40]),
    new_interest_days=st.sampled_from([2, 10]),
    horizons_days=st.sampled_from([Horizons(short=2, long=4), Horizons(short=3, long=30), Horizons(short=20, long=30)]),
    sampling=st.sampled_from(["calendar", "events"]),
    cut_every_days=st.sampled_from([2, 3]),
    eval_cuts=st.integers(1, 2),
    test_cuts=st.integers(1, 2),
    seed=st.integers(0, 3),
)
