"""The newest span beside those before it, from the profile that ingestion writes."""

import numpy as np
import pyarrow as pa
import pytest
from event_tables import DAY_S, Event, event, pseudonym, to_batch

from interest_migration.data_gate.evidence import Delivery, Evidence
from interest_migration.data_gate.newest_events import check_events, independent_size, read_spans
from interest_migration.data_gate.settings import DataGateSettings, Events
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.shard import prepare_shard
from interest_migration.gates.decision import Check, CheckVerdict
from interest_migration.ingestion.profile import GROUPS, Periods, merge_profiles, profile_events
from interest_migration.ingestion.summary import IngestSummary

DAYS, USERS = 10, 240
END_S = DAYS * DAY_S


def make_events(seed: int, **newest: object) -> list[Event]:
    """Users who each like one category best, over ten days; `newest` overrides fields of the last day's events."""
    random, events = np.random.default_rng(seed), []
    for user in range(USERS):
        favourite = f"kind-{random.integers(6)}"
        for _ in range(random.integers(5, 25)):
            time_s = int(random.integers(END_S))
            kind = favourite if random.random() < 0.7 else f"kind-{random.integers(6)}"
            fields = {"category_path": kind, "price": float(random.lognormal(2, 0.5)), "item": "x"}
            changed = newest if time_s >= END_S - DAY_S else {}
            events.append(event(time_s, user=pseudonym(user), **{**fields, **changed}))  # type: ignore[arg-type]
    return events


def profile(events: list[Event], shards: int = 1) -> pa.Table:
    parts = [[row for row in events if int(str(row["user"])[:8], 16) % shards == shard] for shard in range(shards)]
    prepared = [prepare_shard([to_batch(part)], ExampleSettings())[0] for part in parts]
    return merge_profiles(profile_events(part, Periods(END_S, DAY_S)) for part in prepared)


def judge(table: pa.Table | None, **limits: float) -> dict[str, Check]:
    rules = Events.from_values({"default": limits or {"jensen_shannon": 0.03}}, source="test")
    evidence = Evidence(Delivery(name="day 9"), {}, IngestSummary(), profile=table)
    checks = check_events(evidence, rules, DataGateSettings())
    return {check.subject.removeprefix("field "): check for check in checks}


def test_a_span_like_those_before_it_passes():
    for seed in range(8):
        checks = judge(profile(make_events(seed)))
        assert not [check.reason for check in checks.values() if check.verdict is CheckVerdict.BROKEN]


@pytest.mark.parametrize(
    ("field", "newest"),
    [
        ("price", {"price": 300.0}),
        ("price", {"price": None}),
        ("category", {"category_path": "renamed"}),
        ("action", {"action": "view"}),
        ("platform", {"platform": "new app"}),
        ("brand", {"brand": "acme"}),
        ("has_item", {"item": None}),
    ],
)
def test_a_change_of_the_newest_span_is_found_in_its_field(field: str, newest: dict[str, object]):
    checks = judge(profile(make_events(1, **newest)))
    assert [name for name, check in checks.items() if check.verdict is CheckVerdict.BROKEN] == [field]
    assert "newest span day 9" in checks[field].reason


def test_shards_add_up():
    events = make_events(2)
    one, three = (read_spans(profile(events, shards), 0, 4) for shards in (1, 3))
    assert one is not None
    assert three is not None
    assert (one.events, one.users) == (three.events, three.users)
    assert one.features["category"].shares == three.features["category"].shares


def test_totals_of_several_spans_are_means():
    table = profile([event(END_S - 1, "a"), event(END_S - DAY_S - 1, "a"), event(END_S - DAY_S - 2, "a")])
    newest, both = read_spans(table, 0, 0), read_spans(table, 0, 1)
    assert newest is not None
    assert both is not None
    assert (newest.events, newest.users) == (1, 1)
    assert (both.events, both.users) == (1.5, 1)
    assert read_spans(table, 2, 5) is None


def test_an_empty_newest_span_breaks_and_an_undated_log_is_not_compared():
    old = profile([event(END_S - 2 * DAY_S, "a")])
    assert judge(old)["events"].verdict is CheckVerdict.BROKEN
    first = profile([event(END_S - 1, "a")])
    assert judge(first)["events"].verdict is CheckVerdict.SKIPPED
    assert judge(None)["events"].reason == "events: not compared, the log is not in dated partitions"


def test_events_within_the_tolerance_belong_to_the_newest_period():
    times = np.array([END_S + 60, END_S - 1, END_S - DAY_S, END_S - DAY_S - 1])
    assert Periods(END_S, DAY_S).number(times).tolist() == [0, 0, 0, 1]


def test_groups_that_differ_say_less_than_their_events():
    assert independent_size(np.array([[4.0, 4.0], [4.0, 4.0]])) == 16
    assert independent_size(np.array([[8.0, 0.0], [0.0, 8.0]])) == pytest.approx(1)
    assert independent_size(np.array([[8.0, 8.0]])) == 1
    assert independent_size(np.array([[8.0], [4.0]])) == 12


def test_the_size_is_that_of_the_users_where_all_events_of_a_user_are_alike():
    random = np.random.default_rng(3)
    sizes = []
    for _ in range(60):
        counts = np.zeros((GROUPS, 5))
        for user in range(400):
            counts[user % GROUPS, random.integers(5)] += 10
        sizes.append(independent_size(counts))
    assert np.median(sizes) == pytest.approx(400, rel=0.25)
    alike = [independent_size(random.multinomial(250, np.full(5, 0.2), GROUPS).astype(float)) for _ in range(60)]
    assert np.median(alike) == pytest.approx(4000, rel=0.25)
