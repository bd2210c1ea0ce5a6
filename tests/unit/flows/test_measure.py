import json

import numpy as np
import pytest
from transformed_examples import transformed

from interest_migration.flows.measure import measure_flows
from interest_migration.flows.observations import Observations, read_observations
from interest_migration.flows.results import GONE, OTHER, Flows
from interest_migration.flows.settings import FlowSettings
from schemas.features import HORIZON_OBSERVED, NEW_CATEGORIES, NEXT_CATEGORIES, label_name

NAMES = ("milk", "bread", "tea", "rare")
SETTINGS = FlowSettings(minimum_users=2, minimum_expected=0.5, shown_categories=3, resamples=50, period_days=10)
NEXT, NEW, OBSERVED = (
    label_name(name) for name in (NEXT_CATEGORIES, NEW_CATEGORIES["short"], HORIZON_OBSERVED["short"])
)


def observe(rows: list[tuple[str, int, list[int], list[float], list[int], list[int]]]) -> Observations:
    """Rows of user, cut day, interests, their recency, next categories, new categories."""
    user, day, ids, recency, following, new = zip(*rows, strict=True)
    columns = {
        "user": user,
        "cut_time_s": [86_400 * number for number in day],
        "interest_ids": ids,
        "interest_recency_days": recency,
        NEXT: following,
        NEW: new,
        OBSERVED: [1] * len(rows),
    }
    return read_observations(transformed(len(rows), **columns), NAMES, new_interest_days=56)


def test_the_newest_basket_is_read_off_the_profile() -> None:
    seen = observe([("a", 10, [3, 1, 2], [2.5, 2.5, 40], [1, 9], []), ("b", 10, [2], [60], [], [])])
    assert seen.now.toarray().tolist() == [[1, 0, 1, 0], [0, 1, 0, 0]]
    assert seen.following.toarray().tolist() == [[1, 0, 0, 0], [0, 0, 0, 0]]  # id 9 has no name
    assert seen.followed.tolist() == [True, False]
    assert seen.recent.toarray().tolist() == [[1, 1, 1, 0], [0, 0, 0, 0]]
    assert seen.users == 2


def test_those_without_a_past_are_left_out() -> None:
    seen = observe([("a", 10, [], [], [1], []), ("b", 10, [1], [1], [2], [])])
    assert seen.now.toarray().tolist() == [[1, 0, 0, 0]]
    assert seen.user.tolist() == [0]


def small() -> Observations:
    """Four users go from milk to bread, two from bread to milk, two stay in tea, one goes; one knows `rare`."""
    rows = [(f"m{n}", 10, [1], [1], [2], [2]) for n in range(4)]
    rows += [(f"b{n}", 25, [2], [1], [1], [1]) for n in range(2)]
    rows += [(f"t{n}", 25, [3], [1], [3], []) for n in range(2)]
    return observe([*rows, ("t2", 25, [3], [1], [], []), ("r", 25, [4], [1], [4], [])])


def test_links_gains_and_losses() -> None:
    flows = measure_flows(small(), SETTINGS, seed=0)
    links = {(link.source, link.target): (pytest.approx(link.share), link.users) for link in flows.links}
    assert links == {("milk", "bread"): (0.4, 4), ("bread", "milk"): (0.2, 2), ("tea", "tea"): (0.2, 2)}
    assert flows.hidden_share == pytest.approx(0.2)  # one user goes, one has what nobody else has
    categories = {category.name: category for category in flows.categories}
    assert set(categories) == {"milk", "bread", "tea"}
    assert categories["bread"].change == pytest.approx((4 - 2) / 9)
    assert categories["milk"].change == pytest.approx((2 - 4) / 9)
    assert categories["tea"].stays == 1
    assert categories["tea"].gone == pytest.approx(1 / 3)
    assert categories["bread"].low <= categories["bread"].change <= categories["bread"].high


def test_what_too_few_users_are_behind_is_shown_nowhere() -> None:
    text = measure_flows(small(), SETTINGS, seed=0).to_json()
    assert "rare" not in text
    assert GONE not in text
    everything = measure_flows(small(), SETTINGS.model_copy(update={"minimum_users": 1}), seed=0)
    shown = {(link.source, link.target) for link in everything.links}
    assert {("tea", GONE), (OTHER, OTHER)} <= shown


def test_new_interests_and_the_course_over_time() -> None:
    flows = measure_flows(small(), SETTINGS, seed=0)
    new = {entry.name: entry for entry in flows.new_interests}
    assert new["bread"].users == 4
    assert new["bread"].rate == pytest.approx(4 / 8)  # two of ten had it
    assert [period.users for period in flows.periods] == [4, 5]
    assert flows.periods[0].shares == {"milk": None, "bread": 1.0, "tea": None}
    assert flows.periods[1].shares["tea"] == pytest.approx(2 / 5)
    assert flows.periods[1].start_s - flows.periods[0].start_s == 864_000


def test_json_round_trip() -> None:
    rng = np.random.default_rng(0)
    rows = [
        (f"u{n % 60}", 10 + n // 60, [int(a)], [1.0], [int(rng.choice([a % 3 + 1, 1, 2, 3]))], [])
        for n, a in enumerate(rng.integers(1, 4, 600))
    ]
    flows = measure_flows(observe(rows), SETTINGS, seed=0)
    assert {(pair.source, pair.target) for pair in flows.following.pairs if pair.low > 1} == {
        ("milk", "bread"),
        ("bread", "tea"),
        ("tea", "milk"),
    }
    assert Flows.from_json(flows.to_json()) == flows
    assert json.loads(flows.to_json())["following"]["tested"] == 6


def test_nothing_to_see() -> None:
    flows = measure_flows(observe([("a", 10, [1], [1], [], [])]), FlowSettings(), seed=0)
    assert flows.categories == flows.links == flows.periods == flows.new_interests == ()
    assert flows.following.tested == 0
    assert flows.hidden_share == 1
