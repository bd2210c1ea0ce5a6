"""The vectorised examples against the plain reference, on random logs."""

from collections.abc import Sequence
from typing import Any, Literal

import pytest
from event_tables import Event, to_batch, to_examples
from example_reference import WINDOWS, Reference
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from random_logs import LOG, LOGS, SETTINGS, make_log

from interest_migration.examples.build import build_examples
from interest_migration.examples.settings import ExampleSettings, Horizons
from interest_migration.examples.shard import prepare_shard
from interest_migration.examples.splits import Schedule, plan_cuts

Example = dict[str, Any]
UNTIL = hypothesis_settings(max_examples=20, deadline=None)


def every_example(events: Sequence[Event], settings: ExampleSettings) -> list[tuple[Example, Reference]]:
    shard, _ = prepare_shard([to_batch(events)], settings)
    batches = build_examples(shard, LOG, settings, None)
    examples = [example for batch in batches.values() for example in to_examples(batch)]
    bounds = (LOG.start_s, LOG.end_s)
    return [(e, Reference(events, e["user"][0], e["cut_time_s"][0], settings, bounds)) for e in examples]


@UNTIL
@given(LOGS, SETTINGS)
def test_history(events: list[Event], settings: ExampleSettings) -> None:
    for example, expected in every_example(events, settings):
        got = list(
            zip(
                example["event_age_seconds"],
                example["event_action"],
                example["event_item"],
                example["event_category"],
                example["event_parent_category"],
                example["event_child_category"],
                example["event_brand"],
                example["event_platform"],
                example["event_price"],
                example["event_session"],
                strict=True,
            )
        )
        sessions = expected.sessions()
        want = [
            (
                expected.cut_s - e["time_s"],
                e["action"],
                e["item"] or "",
                *expected.parts(e),
                e["brand"] or "",
                e["platform"] or "",
                pytest.approx(-1.0 if e["price"] is None else e["price"]),
                sessions[e["time_s"]],
            )
            for e in expected.history()
        ]
        ages = [row[0] for row in got]
        assert ages == sorted(ages, reverse=True)
        if want:
            assert sorted(got) == sorted(want, key=lambda row: (*row[:8], row[8].expected, row[9]))
        else:  # the newest step alone exceeds the limit: a part of it stays
            assert len(got) == settings.max_events
            assert set(ages) == {expected.cut_s - max(e["time_s"] for e in expected.past)}


@UNTIL
@given(LOGS, SETTINGS)
def test_interest_profile(events: list[Event], settings: ExampleSettings) -> None:
    for example, expected in every_example(events, settings):
        profile = expected.profile()
        assert example["interest_category"] == [row[0] for row in profile]
        assert example["interest_count"] == [row[1] for row in profile]
        assert example["interest_recency_days"] == pytest.approx([row[2] for row in profile])
        for column, half_life in enumerate((7, 28, 112)):
            assert example[f"interest_decayed_{half_life}d"] == pytest.approx([row[3][column] for row in profile])
        assert example["slice_category"] == [profile[0][0] if profile else ""]


@UNTIL
@given(LOGS, SETTINGS)
def test_aggregates(events: list[Event], settings: ExampleSettings) -> None:
    for example, expected in every_example(events, settings):
        past = expected.past
        assert example["window_events"] == expected.per_window(len)
        assert example["window_steps"] == expected.per_window(expected.steps)
        assert example["window_spend"] == pytest.approx(expected.per_window(expected.spend))
        assert example["window_categories"] == expected.per_window(expected.count_categories)
        assert example["recency_days"] == pytest.approx([min(map(expected.age_days, past))])
        assert example["tenure_days"] == pytest.approx([max(map(expected.age_days, past))])
        assert example["lifetime_events"] == [len(past)]
        assert example["lifetime_steps"] == [expected.steps(past)]
        assert example["lifetime_spend"] == pytest.approx([expected.spend(past)])
        gaps = [*example["gap_mean_days"], *example["gap_deviation_days"], *example["gap_last_days"]]
        assert gaps == pytest.approx(expected.gaps(), rel=1e-6, abs=1e-6)
        visits = expected.visits()
        assert example["window_visits"] == [sum(age <= days for age in visits) for days in WINDOWS]
        assert example["absence_days"] == pytest.approx(expected.absence(), rel=1e-6, abs=1e-6)
        assert example["visit_recency_days"] == pytest.approx([visits[-1]])


@UNTIL
@given(LOGS, SETTINGS)
def test_slices(events: list[Event], settings: ExampleSettings) -> None:
    for example, expected in every_example(events, settings):
        newest_s = max(e["time_s"] for e in expected.past)
        newest = [e for e in expected.past if e["time_s"] == newest_s]
        order = ["view", "purchase", "search"]  # their order in the event contract
        steps = expected.steps(expected.within(28))
        activity = "0" if not steps else "1-2" if steps < 3 else "3-5" if steps < 6 else "6-10" if steps < 11 else "11+"
        tenure = max(map(expected.age_days, expected.past))
        assert example["slice_activity"] == [activity]
        assert example["slice_tenure"] == ["<28" if tenure < 28 else "28-83"]
        assert example["slice_action"] == [max((e["action"] for e in newest), key=order.index)]
        assert example["slice_platform"] == [max(e["platform"] or "" for e in newest)]
        assert example["user_attributes"] is None


@UNTIL
@given(LOGS, SETTINGS)
def test_next_step_labels(events: list[Event], settings: ExampleSettings) -> None:
    embargo_s = plan_cuts(LOG, settings).embargo_s
    for example, expected in every_example(events, settings):
        assert as_set(example["next_categories"]) == expected.next_categories(embargo_s)
        assert as_set(example["next_items"]) == expected.next_items(embargo_s)
        switched = expected.switched(embargo_s)
        assert example["switched"] == (None if switched is None else [switched])


@UNTIL
@given(LOGS, SETTINGS)
def test_horizon_labels(events: list[Event], settings: ExampleSettings) -> None:
    usable = plan_cuts(LOG, settings).usable
    for example, expected in every_example(events, settings):
        for horizon in ("short", "long"):
            days = getattr(settings.horizons_days, horizon)
            known = horizon in usable and expected.observed(days)
            churn = expected.churn(days) if known else None
            assert example[f"horizon_observed_{horizon}"] == [int(known)]
            assert as_set(example[f"future_categories_{horizon}"]) == (
                expected.future_categories(days) if known else None
            )
            assert as_set(example[f"new_categories_{horizon}"]) == (expected.new_categories(days) if known else None)
            assert example[f"churn_{horizon}"] == (None if churn is None else [churn])


@UNTIL
@given(LOGS, SETTINGS)
def test_which_examples_exist(events: list[Event], settings: ExampleSettings) -> None:
    schedule = plan_cuts(LOG, settings)
    got = [(expected, example) for example, expected in every_example(events, settings)]
    assert all(expected.is_active() for expected, _ in got)
    keys = {(example["user"][0], example["cut_time_s"][0]) for _, example in got}
    assert len(keys) == len(got)
    if settings.sampling == "calendar":
        cuts = [window.first_s for split in ("eval", "test") for window in schedule.windows[split]]
        users = sorted({e["user"] for e in events})
        want = {(u, c) for u in users for c in cuts if Reference(events, u, c, settings, (0, LOG.end_s)).is_active()}
        assert {key for key in keys if key[1] >= cuts[0]} == want
    else:
        steps = {(e["user"], e["time_s"] + 1) for e in events}
        assert keys <= steps
        assert_one_cut_per_active_block(events, settings, schedule, keys)


def assert_one_cut_per_active_block(
    events: list[Event], settings: ExampleSettings, schedule: Schedule, keys: set[tuple[str, int]]
) -> None:
    for window in (w for windows in schedule.windows.values() for w in windows):
        for user in {e["user"] for e in events}:
            steps = {e["time_s"] + 1 for e in events if e["user"] == user}
            inside = [cut for cut in steps if window.first_s <= cut <= window.last_s]
            chosen = [key for key in keys if key[0] == user and window.first_s <= key[1] <= window.last_s]
            active = [Reference(events, user, cut, settings, (0, LOG.end_s)).is_active() for cut in inside]
            assert len(chosen) <= 1
            assert len(chosen) == 1 or not (active and all(active))


def as_set(values: list[str] | None) -> set[str] | None:
    if values is None:
        return None
    assert values == sorted(set(values))
    return set(values)


@pytest.mark.parametrize("sampling", ["calendar", "events"])
def test_random_logs_reach_every_label(sampling: Literal["calendar", "events"]) -> None:
    """The comparisons above would hold for labels that are always absent, too: on such a log they are not."""
    settings = ExampleSettings(
        interest_level=1,
        sampling=sampling,
        active_days=3,
        new_interest_days=2,
        horizons_days=Horizons(short=1, long=2),
        cut_every_days=1,
        test_cuts=8,
    )
    examples = [example for example, _ in every_example(make_log(seed=1, count=120), settings)]
    for name in ("switched", "churn_short", "churn_long"):
        assert {tuple(example[name] or ()) for example in examples} == {(), (0,), (1,)}
    for name in ("new_categories_long", "future_categories_long", "next_items"):
        assert {bool(example[name]) for example in examples} == {True, False}
    assert max(len(example["next_categories"] or ()) for example in examples) > 1
