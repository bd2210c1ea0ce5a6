"""The worked examples of docs/examples_and_labels.md, number for number."""

from typing import Any

import pyarrow as pa
import pytest
from event_tables import ANNA, DAY_S, HOUR_S, Event, event, to_batch, to_examples

from interest_migration.errors import ContractError
from interest_migration.examples.build import build_examples, build_features
from interest_migration.examples.log import TimeRange
from interest_migration.examples.settings import ExampleSettings, Horizons
from interest_migration.examples.shard import prepare_shard

LOG = TimeRange(0, 100 * DAY_S)
TINY = ExampleSettings(
    active_days=20, new_interest_days=10, horizons_days=Horizons(short=5, long=10), eval_cuts=1, test_cuts=1
)
TEST_DAY = 90  # the log's end less the long horizon


def day(number: float) -> float:
    return number * DAY_S


def label(events: list[Event], settings: ExampleSettings = TINY, log: TimeRange = LOG) -> dict[str, Any]:
    shard, _ = prepare_shard([to_batch(events)], settings)
    examples = to_examples(build_examples(shard, log, settings, None)["test"])
    assert [example["cut_time_s"] for example in examples] == [[TEST_DAY * DAY_S]]
    return examples[0]


def features(events: list[Event], cut_day: float, **values: Any) -> dict[str, Any]:
    batch = build_features(to_batch(events), int(day(cut_day)), ExampleSettings(**values))
    return to_examples(batch)[0]


def test_the_example_of_the_feature_contract() -> None:
    example = features(
        [
            event(day(3), "dairy", item="milk"),
            event(day(3), "bakery", item="bread"),
            event(day(9), "drinks", item="tea"),
        ],
        cut_day=10,
    )
    assert sorted(example["event_item"][:2]) == ["bread", "milk"]
    assert example["event_item"][2] == "tea"
    assert example["event_age_seconds"] == [604800, 604800, 86400]
    profile = zip(example["interest_category"], example["interest_recency_days"], strict=True)
    assert list(profile) == [("drinks", 1.0), ("bakery", 7.0), ("dairy", 7.0)]
    assert example["interest_decayed_7d"] == pytest.approx([0.5 ** (1 / 7), 0.5, 0.5])


def test_an_event_at_the_cut_is_future_and_one_second_earlier_is_past() -> None:
    events = [event(day(10) - 1, item="past"), event(day(10), item="future")]
    assert features(events, cut_day=10)["event_item"] == ["past"]
    assert features(events, cut_day=10)["event_age_seconds"] == [1]


@pytest.mark.parametrize(
    ("limit", "expected"), [(4, ["tea", "bread", "milk", "pen"]), (3, ["bread", "milk", "pen"]), (2, ["pen"])]
)
def test_a_step_that_does_not_fit_whole_is_left_out(limit: int, expected: list[str]) -> None:
    events = [
        event(day(1), item="tea"),
        event(day(2), item="milk"),
        event(day(2), item="bread"),
        event(day(3), item="pen"),
    ]
    assert features(events, cut_day=4, max_events=limit)["event_item"] == expected


def test_sessions_count_back_from_the_newest() -> None:
    events = [event(day(1)), event(day(1) + 600), event(day(2)), event(day(3))]
    assert features(events, cut_day=4)["event_session"] == [2, 2, 1, 0]


def test_windows_reach_back_from_the_cut_with_their_first_second() -> None:
    events = [
        event(day(3), "food", price=2.0, quantity=2.0),
        event(day(3), "home", price=1.0),
        event(day(9), "food", action="view", price=5.0),
        event(day(9.5), price=3.0),
    ]
    example = features(events, cut_day=10)  # windows of 1, 3, 7, 14, ... days; day 3 is the first second of 7 days
    assert example["window_events"] == [2, 2, 4, 4, 4, 4, 4, 4]
    assert example["window_steps"] == [2, 2, 3, 3, 3, 3, 3, 3]
    assert example["window_spend"] == [3, 3, 8, 8, 8, 8, 8, 8]
    assert example["window_categories"] == [1, 1, 2, 2, 2, 2, 2, 2]
    assert example["recency_days"] == [0.5]
    assert example["tenure_days"] == [7.0]
    assert (example["lifetime_events"], example["lifetime_steps"], example["lifetime_spend"]) == ([4], [3], [8.0])


def test_gaps_lie_between_steps() -> None:
    example = features([event(day(1)), event(day(3)), event(day(3), item="x"), event(day(7))], cut_day=10)
    assert example["gap_mean_days"] == [3.0]
    assert example["gap_deviation_days"] == [1.0]
    assert example["gap_last_days"] == [4.0]
    single = features([event(day(1))], cut_day=10)
    assert [single[f"gap_{name}_days"] for name in ("mean", "deviation", "last")] == [[0.0], [0.0], [0.0]]


def test_visits_and_absence() -> None:
    events = [*(event(day(number), action="purchase") for number in (1, 3, 7)), event(day(9), action="view")]
    example = features(events, cut_day=10)
    assert example["visit_recency_days"] == [3.0]
    assert example["window_visits"] == [0, 1, 2, 3, 3, 3, 3, 3]
    assert example["absence_days"] == [1 + 3 + 2, 1, 0, 0, 0, 0, 0, 0]
    every_step = features(events, cut_day=10, churn_actions=())
    assert every_step["visit_recency_days"] == [1.0]
    assert every_step["absence_days"] == [1 + 3 + 1, 1, 0, 0, 0, 0, 0, 0]
    nobody = features(events[3:], cut_day=10)
    assert nobody["visit_recency_days"] == [1.0]
    assert not any(nobody["window_visits"] + nobody["absence_days"])


def test_equal_gaps_do_not_deviate() -> None:
    example = features([event(day(1) + visit * 8 * HOUR_S) for visit in range(50)], cut_day=60)
    assert example["gap_deviation_days"] == [0.0]


@pytest.mark.parametrize(
    ("before", "after", "switched"),
    [
        ([(89, "food")], [(91, "home")], [1]),
        ([(89, "food"), (89, "home")], [(91, "home"), (91, "toys")], [0]),
        ([(88, "home"), (89, "food")], [(91, "home")], [1]),
        ([(88, "food"), (89, None)], [(91, None), (92, "food")], [0]),
        ([(89, None)], [(91, "home")], None),
        ([(89, "food")], [(91, None)], None),
        ([(89, "food")], [(100, "home")], None),
    ],
)
def test_switched(
    before: list[tuple[int, str | None]], after: list[tuple[int, str | None]], switched: list[int] | None
) -> None:
    events = [event(day(number), path, item=path) for number, path in before + after]
    log = TimeRange(0, 101 * DAY_S - 1)  # room for an event on day 100, one horizon after the cut
    assert label(events, log=log)["switched"] == switched


def test_next_step_is_the_first_that_shows_an_interest() -> None:
    example = label(
        [
            event(day(89), "food"),
            event(day(90), item="no category"),
            event(day(91), "home > lamps", item="desk lamp"),
            event(day(91), "home > beds", item="bed"),
            event(day(91), "toys", item="doll"),
            event(day(91), item="bag"),
            event(day(92), "books", item="novel"),
        ]
    )
    assert example["next_categories"] == ["home", "toys"]
    assert example["next_items"] == ["bag", "bed", "desk lamp", "doll"]


def test_only_interest_actions_make_labels_and_interests() -> None:
    settings = TINY.model_copy(update={"interest_actions": ("purchase",)})
    events = [
        event(day(89), "food"),
        event(day(89), "toys", action="view"),
        event(day(91), "home", action="view", item="lamp"),
        event(day(92), "food", item="tea"),
        event(day(92), "toys", action="view", item="doll"),
    ]
    example = label(events, settings)
    assert example["interest_category"] == ["food"]
    assert example["next_categories"] == ["food"]
    assert example["next_items"] == ["tea"]
    assert example["future_categories_short"] == ["food"]
    assert len(example["event_item"]) == 2


def test_categories_of_the_horizon_and_which_are_new() -> None:
    example = label(
        [
            event(day(79), "books"),  # before the new-interest window [80, 90)
            event(day(80), "food"),  # its first second
            event(day(90), "food"),
            event(day(94), "books"),
            event(day(95), "toys"),  # the short horizon [90, 95) is over
            event(day(99), "toys"),
        ]
    )
    assert example["horizon_observed_short"] == [1]
    assert example["future_categories_short"] == ["books", "food"]
    assert example["new_categories_short"] == ["books"]
    assert example["future_categories_long"] == ["books", "food", "toys"]
    assert example["new_categories_long"] == ["books", "toys"]


@pytest.mark.parametrize(
    ("events", "short", "long"),
    [
        ([event(day(89))], [1], [1]),
        ([event(day(89)), event(day(94.9))], [0], [0]),
        ([event(day(89)), event(day(95))], [1], [0]),
        ([event(day(89)), event(day(91), action="view")], [1], [1]),
    ],
)
def test_churn(events: list[Event], short: list[int], long: list[int]) -> None:
    example = label(events)
    assert example["churn_short"] == short
    assert example["churn_long"] == long


def test_churn_is_unknown_without_churn_actions_or_with_a_cut_off_activity_window() -> None:
    events = [event(day(89))]
    assert label(events, TINY.model_copy(update={"churn_actions": ()}))["churn_short"] is None
    whole, cut_off = (TINY.model_copy(update={"active_days": days}) for days in (90, 91))
    assert label(events, whole)["churn_short"] == [1]
    assert label(events, cut_off)["churn_short"] is None


def test_a_nine_day_log_knows_next_steps_but_no_horizon_and_no_churn() -> None:
    settings = ExampleSettings(cut_every_days=1, eval_cuts=1, test_cuts=1)
    shard, _ = prepare_shard([to_batch([event(day(n), "food", price=1.0) for n in range(9)])], settings)
    examples = build_examples(shard, TimeRange(0, 9 * DAY_S), settings, None)
    for example in to_examples(examples["test"]) + to_examples(examples["train"]):
        assert example["next_categories"] == ["food"]
        assert example["switched"] == [0]
        for horizon in ("short", "long"):
            assert example[f"horizon_observed_{horizon}"] == [0]
            assert example[f"future_categories_{horizon}"] is None
            assert example[f"new_categories_{horizon}"] is None
            assert example[f"churn_{horizon}"] is None


def test_slices() -> None:
    events = [
        event(day(10), "food"),
        event(day(87), "food", platform="web"),
        event(day(88), "home", action="view", platform="app"),
        event(day(88), "home", action="search", platform="web"),
        event(day(88), "home", action="purchase"),
    ]
    example = label(events)
    assert example["slice_activity"] == ["1-2"]
    assert example["slice_tenure"] == ["28-83"]
    assert example["slice_category"] == ["home"]
    assert example["slice_action"] == ["search"]
    assert example["slice_platform"] == ["web"]


@pytest.mark.parametrize(
    ("first_day", "tenure"), [(89, "<28"), (62, "28-83"), (6, "84-181"), (5, "84-181"), (62.1, "<28"), (6.1, "28-83")]
)
def test_tenure_slices(first_day: float, tenure: str) -> None:
    assert label([event(day(first_day)), event(day(89))])["slice_tenure"] == [tenure]


@pytest.mark.parametrize(
    ("steps", "activity"), [(1, "1-2"), (2, "1-2"), (3, "3-5"), (5, "3-5"), (6, "6-10"), (10, "6-10"), (11, "11+")]
)
def test_activity_slices(steps: int, activity: str) -> None:
    assert label([event(day(89) - step) for step in range(steps)])["slice_activity"] == [activity]


def test_attributes_follow_their_users() -> None:
    events = [event(day(89)), event(day(89), user="f" * 32)]
    shard, _ = prepare_shard([to_batch(events)], TINY)
    attributes = pa.array([["age=30", "city=Rome"], None], pa.list_(pa.string()))
    examples = to_examples(build_examples(shard, LOG, TINY, attributes)["test"])
    assert [(e["user"], e["user_attributes"]) for e in examples] == [
        ([ANNA], ["age=30", "city=Rome"]),
        (["f" * 32], None),
    ]
    with pytest.raises(ContractError, match="attributes of 2 users, received 1"):
        build_examples(shard, LOG, TINY, attributes.slice(0, 1))
