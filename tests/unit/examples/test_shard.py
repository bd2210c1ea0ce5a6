from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from event_tables import ANNA, BORIS, HOUR_S, Event, event, to_batch, to_dictionaries

from interest_migration.errors import ContractError
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.shard import ShardEvents, prepare_shard
from interest_migration.examples.strings import Codes
from schemas.events import REJECT_SCHEMA

DEFAULTS = ExampleSettings()


def text(column: Codes) -> list[str]:
    return [column.values[code].as_py().decode() for code in column.codes.tolist()]


def prepare(*events: Event, **values: Any) -> tuple[ShardEvents, pa.RecordBatch]:
    return prepare_shard([to_batch(events)], ExampleSettings(**values))


def test_events_come_sorted_by_user_time_and_name() -> None:
    shard, rejects = prepare(
        event(9, item="tea"), event(5, item="tea"), event(5, item="milk"), event(1, item="pen", user=BORIS)
    )
    assert shard.users.to_pylist() == [ANNA.encode(), BORIS.encode()]
    assert shard.user.tolist() == [0, 0, 0, 1]
    assert shard.user_offsets.tolist() == [0, 3, 4]
    assert shard.time_s.tolist() == [5, 5, 9, 1]
    assert text(shard.item) == ["milk", "tea", "tea", "pen"]
    assert shard.step.tolist() == [0, 0, 1, 2]
    assert shard.step_offsets.tolist() == [0, 2, 3, 4]
    assert rejects.num_rows == 0


def test_rows_equal_in_every_field_are_duplicates_and_the_first_position_stays() -> None:
    same: dict[str, Any] = {"category_path": "food", "price": 1.5}
    shard, rejects = prepare(
        event(5, **same, source_row=30), event(5, **same, source_row=10), event(5, **same, source_row=20)
    )
    assert len(shard.time_s) == 1
    assert rejects.schema == REJECT_SCHEMA
    assert rejects.to_pylist() == [
        {"source_piece": 0, "source_row": row, "reason": "duplicate", "detail": "equal to another row in every field"}
        for row in (20, 30)
    ]


@pytest.mark.parametrize(
    "difference",
    [{"price": 1.0}, {"quantity": 2.0}, {"text": "hi"}, {"extras": "{}"}, {"session": "s"}, {"platform": "web"}],
)
def test_rows_that_differ_in_one_field_both_stay(difference: dict[str, Any]) -> None:
    shard, rejects = prepare(event(5, "food"), event(5, "food", **difference))
    assert len(shard.time_s) == 2
    assert rejects.num_rows == 0


def test_duplicates_are_found_among_more_distinct_values_than_one_sort_key_holds() -> None:
    columns = ("item", "category_path", "brand", "text", "session", "platform", "extras")
    varied = [event(5, **dict.fromkeys(columns, f"v{number}")) for number in range(600)]  # 600**7 > 2**64
    same = dict.fromkeys(columns, "v7")
    shard, rejects = prepare(
        *varied,
        event(5, **{**same, "extras": "v9"}),
        event(5, **{**same, "extras": "v8"}),
        event(5, **{**same, "extras": "v9"}),
    )
    assert len(shard.time_s) == 602
    assert rejects["source_row"].to_pylist() == [602]


def test_hot_users_keep_their_newest_whole_steps() -> None:
    events = [event(1, item="a"), event(2, item="b"), event(2, item="c"), event(3, item="d"), event(3, item="e")]
    shard, rejects = prepare(*events, event(1, user=BORIS), max_events_per_user=3)
    assert text(shard.item) == ["d", "e", ""]
    assert shard.user_offsets.tolist() == [0, 2, 3]
    assert rejects["source_row"].to_pylist() == [0, 1, 2]
    assert set(rejects["reason"].to_pylist()) == {"hot_user"}
    assert rejects["detail"][0].as_py() == "older than the newest 3 events of its user"


def test_a_newest_step_beyond_the_cap_is_cut() -> None:
    shard, rejects = prepare(event(3, item="a"), event(3, item="b"), event(3, item="c"), max_events_per_user=2)
    assert text(shard.item) == ["b", "c"]
    assert rejects["source_row"].to_pylist() == [0]


def test_spend_counts_purchases_only_and_fills_what_is_missing() -> None:
    shard, _ = prepare(
        event(1, price=2.0, quantity=3.0),
        event(2, price=2.0),
        event(3, quantity=5.0),
        event(4, action="view", price=2.0),
    )
    assert shard.spend.tolist() == [6.0, 2.0, 0.0, 0.0]
    assert shard.price.tolist() == [2.0, 2.0, -1.0, 2.0]


def test_numbers_that_are_not_finite_count_as_missing() -> None:
    shard, _ = prepare(event(1, price=float("nan")), event(2, price=float("inf"), quantity=1.0))
    assert shard.price.tolist() == [-1.0, -1.0]
    assert shard.spend.tolist() == [0.0, 0.0]


def test_sessions_end_after_inactivity() -> None:
    shard, _ = prepare(event(0), event(1800), event(3601), event(3601, user=BORIS), session_gap_minutes=30)
    assert shard.session.tolist() == [0, 0, 1, 2]


def test_session_ids_of_the_source_win_over_the_gap() -> None:
    shard, _ = prepare(
        event(0, session="s1"),
        event(60, session="s2"),
        event(9 * HOUR_S, session="s2"),
        event(9 * HOUR_S + 60),  # no id: the gap decides
        event(20 * HOUR_S, session="s2"),
    )
    assert shard.session.tolist() == [0, 1, 1, 1, 2]


def test_steps_that_share_a_session_id_share_the_session() -> None:
    shard, _ = prepare(
        event(0, session="s1"), event(60, session="s1"), event(60, session="s2"), event(99, session="s2")
    )
    assert shard.session.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("level", "path", "category", "parent", "child"),
    [
        (0, "home > kitchen > knives", "home", "", "home > kitchen"),
        (1, "home > kitchen > knives", "home > kitchen", "home", "home > kitchen > knives"),
        (2, "home > kitchen > knives", "home > kitchen > knives", "home > kitchen", ""),
        (1, "home", "home", "", ""),
        (1, None, "", "", ""),
    ],
)
def test_category_paths_are_cut_at_the_interest_level(
    level: int, path: str | None, category: str, parent: str, child: str
) -> None:
    shard, _ = prepare(event(1, path), interest_level=level)
    assert (text(shard.category), text(shard.parent), text(shard.child)) == ([category], [parent], [child])


def test_pieces_may_lack_columns_and_encode_strings_differently() -> None:
    whole = to_batch([event(1, "food", item="tea", brand="acme"), event(2, "home", item="lamp")])
    lean = whole.slice(1).select(["time_s", "user", "action", "category_path", "item"])
    large = pa.RecordBatch.from_arrays(
        [column.cast(pa.large_string()) if column.type == pa.string() else column for column in whole.slice(1).columns],
        names=whole.schema.names,
    )
    for second in (lean, to_dictionaries(lean), large):
        shard, _ = prepare_shard([to_dictionaries(whole.slice(0, 1)), second], DEFAULTS)
        assert text(shard.category) == ["food", "home"]
        assert text(shard.item) == ["tea", "lamp"]
        assert text(shard.brand) == ["acme", ""]


def test_table_and_empty_input() -> None:
    shard, _ = prepare_shard(pa.Table.from_batches([to_batch([event(1)])]), DEFAULTS)
    assert len(shard.users) == 1
    empty: list[Sequence[pa.RecordBatch]] = [[], [to_batch([])]]
    for nothing in empty:
        shard, rejects = prepare_shard(nothing, DEFAULTS)
        assert (len(shard.users), len(shard.time_s), rejects.num_rows) == (0, 0, 0)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (to_batch([event(1)]).drop_columns(["time_s"]), "expected a column 'time_s'"),
        (
            pa.record_batch({"user": [ANNA], "time_s": [1], "action": pa.array([None], pa.string())}),
            "'action' in every",
        ),
        (to_batch([event(1, action="steal")]), "received 'steal'"),
        (to_batch([event(1, user="")]), "received an empty one"),
    ],
)
def test_broken_preconditions_are_named(batch: pa.RecordBatch, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        prepare_shard([batch], DEFAULTS)
