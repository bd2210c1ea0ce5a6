from itertools import pairwise
from typing import Any

import pytest
from event_tables import ANNA, BORIS, CLARA, DAY_S, Event, event, pseudonym, to_batch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from interest_migration.errors import ContractError, DataError
from interest_migration.examples.cuts import Cuts, choose_cuts
from interest_migration.examples.log import TimeRange
from interest_migration.examples.settings import ExampleSettings, Horizons
from interest_migration.examples.shard import prepare_shard
from interest_migration.examples.splits import SPLITS, CutWindow, Schedule, Split, plan_cuts


def days(schedule: Schedule, split: Split) -> list[tuple[float, float]]:
    return [(w.first_s / DAY_S, w.last_s / DAY_S) for w in schedule.windows[split]]


def plan(log_days: float, **values: Any) -> Schedule:
    return plan_cuts(TimeRange(0, round(log_days * DAY_S)), ExampleSettings(**values))


def test_calendar_cuts_count_back_from_the_end() -> None:
    schedule = plan(150.5, eval_cuts=2, test_cuts=3)  # the last midnight 28 days before the end is day 122
    assert days(schedule, "test") == [(94, 94), (108, 108), (122, 122)]
    assert days(schedule, "eval") == [(52, 52), (66, 66)]
    assert [first for first, _ in days(schedule, "train")] == [10]
    assert schedule.windows["train"] == (CutWindow(10 * DAY_S, 24 * DAY_S - 1),)
    assert schedule.embargo_s == 28 * DAY_S
    assert schedule.usable == ("short", "long")


def test_event_blocks_hold_the_second_after_their_steps() -> None:
    schedule = plan(150.5, eval_cuts=1, test_cuts=2, sampling="events", min_history_days=10)
    assert days(schedule, "test") == [(94 + 1 / DAY_S, 108), (108 + 1 / DAY_S, 122)]
    assert days(schedule, "eval") == [(52 + 1 / DAY_S, 66)]
    assert days(schedule, "train") == [(10 + 1 / DAY_S, 24)]


def test_a_shorter_log_gives_up_the_long_horizon() -> None:
    schedule = plan(90, eval_cuts=1, test_cuts=1)
    assert schedule.usable == ("short",)
    assert schedule.embargo_s == 14 * DAY_S
    assert days(schedule, "test") == [(76, 76)]


def test_a_nine_day_log_has_no_horizon_but_next_steps() -> None:
    schedule = plan(9, cut_every_days=1, eval_cuts=1, test_cuts=1, sampling="events")
    assert schedule.usable == ()
    assert schedule.embargo_s == DAY_S
    assert days(schedule, "test") == [(7 + 1 / DAY_S, 8)]
    assert days(schedule, "eval") == [(5 + 1 / DAY_S, 6)]
    assert days(schedule, "train")[-1] == (3 + 1 / DAY_S, 4)
    assert len(days(schedule, "train")) == 4


def test_fractions_of_a_day_are_not_moved_to_midnight() -> None:
    schedule = plan(3.3, cut_every_days=0.25, eval_cuts=1, test_cuts=1)
    assert schedule.windows["test"][0].first_s == round(3.05 * DAY_S)


def test_a_log_that_is_too_short_says_what_would_do() -> None:
    with pytest.raises(DataError, match=r"about 99 days or more, received one of 20\.0 days.*lower cut_every_days"):
        plan(20)
    assert plan(99).windows["train"]
    with pytest.raises(DataError):
        plan(97.9)


def test_min_history_pushes_the_first_train_cut_back() -> None:
    assert days(plan(100, eval_cuts=1, test_cuts=1), "train")[0][0] == 2
    with pytest.raises(DataError, match="min_history_days"):
        plan(100, eval_cuts=1, test_cuts=1, min_history_days=45)


@hypothesis_settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 200 * DAY_S),
    st.integers(0, DAY_S),
    st.builds(
        ExampleSettings,
        horizons_days=st.sampled_from([Horizons(short=14, long=28), Horizons(short=0.3, long=3)]),
        sampling=st.sampled_from(["calendar", "events"]),
        cut_every_days=st.sampled_from([0.1, 1, 7.5, 14]),
        min_history_days=st.sampled_from([0, 3.5]),
        eval_cuts=st.integers(1, 3),
        test_cuts=st.integers(1, 3),
    ),
)
def test_splits_keep_the_embargo(length_s: int, start_s: int, settings: ExampleSettings) -> None:
    log = TimeRange(start_s, start_s + length_s)
    try:
        schedule = plan_cuts(log, settings)
    except DataError:
        return
    ordered = [schedule.windows[split] for split in ("train", "eval", "test")]
    bounds = [ordered[1][0].first_s, ordered[2][0].first_s, log.end_s]
    for windows, bound_s in zip(ordered, bounds, strict=True):
        assert all(w.last_s + schedule.embargo_s <= bound_s for w in windows)
        assert all(a.last_s < b.first_s for a, b in pairwise(windows))
    assert (len(ordered[1]), len(ordered[2])) == (settings.eval_cuts, settings.test_cuts)
    assert ordered[0][0].first_s >= log.start_s + settings.min_history_days * DAY_S
    for horizon in schedule.usable:
        assert getattr(settings.horizons_days, horizon) * DAY_S <= schedule.embargo_s


def test_time_range_must_not_be_empty() -> None:
    with pytest.raises(ContractError, match="start < end, received 5 and 5"):
        TimeRange(5, 5)


def cut(events: list[Event], windows: list[tuple[int, int]], split: Split = "eval", **values: Any) -> Cuts:
    settings = ExampleSettings(**values)
    shard, _ = prepare_shard([to_batch(events)], settings)
    return choose_cuts(shard, [CutWindow(*window) for window in windows], settings, split)


def test_calendar_cuts_need_a_churn_action_in_the_active_window() -> None:
    events = [event(0), event(5 * DAY_S, action="view"), event(9 * DAY_S, user=BORIS, action="view")]
    windows = [(day * DAY_S, day * DAY_S) for day in (0, 1, 10, 11)]
    chosen = cut(events, windows, active_days=10)
    assert [(u, t // DAY_S) for u, t in zip(chosen.user.tolist(), chosen.time_s.tolist(), strict=True)] == [
        (0, 1),  # on day 0 itself the purchase is not yet past
        (0, 10),  # the window [0, 10) still holds it
    ]
    chosen = cut(events, windows, active_days=10, churn_actions=())
    assert [(u, t // DAY_S) for u, t in zip(chosen.user.tolist(), chosen.time_s.tolist(), strict=True)] == [
        (0, 1),
        (0, 10),
        (0, 11),
        (1, 10),
        (1, 11),
    ]


def test_train_cuts_are_shifted_per_user_window_and_seed() -> None:
    events = [event(0, user=user) for user in (ANNA, BORIS, CLARA)]
    windows = [(DAY_S, 8 * DAY_S - 1), (8 * DAY_S, 15 * DAY_S - 1)]
    first, second = (cut(events, windows, split="train", seed=seed).time_s for seed in (0, 1))
    assert (first // DAY_S < [8, 15] * 3).all()
    assert (first // DAY_S >= [1, 8] * 3).all()
    assert len(set(first.tolist()) | set(second.tolist())) == 12
    assert len(set((first % DAY_S).tolist())) > 1


def test_event_cuts_come_one_second_after_a_step() -> None:
    events = [event(time_s) for time_s in (10, 20, 30, 40, 50)]
    chosen = cut(events, [(21, 31), (32, 51), (60, 70)], sampling="events").time_s.tolist()
    assert len(chosen) == 2
    assert chosen[0] in (21, 31)
    assert chosen[1] in (41, 51)
    by_seed = {tuple(cut(events, [(11, 51)], sampling="events", seed=seed).time_s.tolist()) for seed in range(60)}
    assert by_seed == {(11,), (21,), (31,), (41,), (51,)}


def test_held_out_users_are_in_eval_and_test_only() -> None:
    events = [event(0, user=pseudonym(number)) for number in range(400)]
    users = {split: set(cut(events, [(9, 9)], split, user_holdout=0.25).user.tolist()) for split in SPLITS}
    assert users["eval"] == users["test"]
    assert users["train"] | users["eval"] == set(range(400))
    assert not users["train"] & users["eval"]
    assert 70 < len(users["eval"]) < 130


def test_no_users_no_cuts() -> None:
    assert len(cut([], [(9, 9)])) == 0
    assert len(cut([], [(9, 9)], sampling="events")) == 0
