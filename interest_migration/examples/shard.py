"""The events of a shard, cleaned, in one total order, with steps and sessions.

Examples are made from this alone. It holds all events of its users, so every question about a user's past or future is
answered within it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from interest_migration.errors import ContractError
from interest_migration.examples.categories import split_categories
from interest_migration.examples.cleaning import (
    Finding,
    Mask,
    ShardReason,
    describe_rejects,
    find_bots,
    find_conflicts,
    find_excess,
)
from interest_migration.examples.ranges import GroupedTimes, IntArray, offsets_of
from interest_migration.examples.rows import NONE, Rows, read_rows, sort_rows
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.steps import number_sessions, number_steps
from interest_migration.examples.strings import Codes
from interest_migration.examples.texts import own_texts
from schemas.events import ACTIONS


@dataclass(frozen=True)
class ShardEvents:
    """N events of U users, sorted by user, time and then every other field; S steps.

    Attributes:
      users: `[U]` large_binary pseudonyms, ascending.
      user_offsets: `[U + 1]` first event of each user, and N.
      user: `[N]` index into `users`.
      time_s: `[N]` Unix seconds UTC.
      step: `[N]` number of the event's step, ascending over the shard.
      step_offsets: `[S + 1]` first event of each step, and N.
      session: `[N]` number of the event's session, ascending over the shard.
      action: `[N]` index into `schemas.events.ACTIONS`.
      item: `[N]` items; as in all string columns, code 0 is "none".
      category: `[N]` category at the interest level.
      parent: `[N]` category path above it.
      child: `[N]` category one level below it.
      brand: `[N]` brands.
      platform: `[N]` platforms.
      text: `[N]` texts of searches, messages and reviews, as far as settings keep them.
      price: `[N]` price per unit, -1 if none.
      spend: `[N]` price times quantity of purchases, else 0.
    """

    users: pa.LargeBinaryArray
    user_offsets: IntArray
    user: IntArray
    time_s: IntArray
    step: IntArray
    step_offsets: IntArray
    session: IntArray
    action: IntArray
    item: Codes
    category: Codes
    parent: Codes
    child: Codes
    brand: Codes
    platform: Codes
    text: Codes
    price: npt.NDArray[np.float64]
    spend: npt.NDArray[np.float64]

    @cached_property
    def timeline(self) -> GroupedTimes:
        """Finds a user's first event at or after a time."""
        return GroupedTimes(self.user, self.time_s)


def prepare_shard(
    batches: Sequence[pa.RecordBatch] | pa.Table, settings: ExampleSettings
) -> tuple[ShardEvents, pa.RecordBatch]:
    """Sorts a shard's events, sets aside what `cleaning` finds, finds steps and sessions.

    Args:
      batches: Events of `schemas.events`, in any order and any number of pieces; strings plain or dictionary-encoded.
        Optional columns may be missing.
      settings: Uses `conflicting_fields`, `bot_limits`, `max_events_per_user`, `session_gap_minutes`,
        `interest_level` and `text_characters`.

    Returns:
      The events, the same whatever order they came in, and the rows set aside in `REJECT_SCHEMA`: `duplicate` for a
      row that equals another in every field of the contract (the first by position stays), `conflicting_duplicate` for
      one that contradicts a later row (`find_conflicts`), `bot_like_user` for all events of a user beyond one of
      `bot_limits`, `hot_user` for a user's events before the newest `max_events_per_user`, whole steps at a time.

    Raises:
      ContractError: If a required column is missing, has nulls, or holds an unknown action or an empty user.
    """
    rows = read_rows(batches)
    order, repeated = sort_rows(rows)
    findings: list[Finding] = [(order[repeated], ShardReason.DUPLICATE, "equal to another row in every field")]
    kept = order[~repeated]
    conflicts = find_conflicts(rows, kept, settings.conflicting_fields)
    told = f"contradicts a later row about the same act in one of {', '.join(settings.conflicting_fields)}"
    kept = _set_aside(kept, conflicts, ShardReason.CONFLICTING_DUPLICATE, told, findings)
    bots, told = find_bots(rows, kept, settings.bot_limits)
    kept = _set_aside(kept, bots, ShardReason.BOT_LIKE_USER, told, findings)
    hot = find_excess(rows, kept, settings.max_events_per_user)
    told = f"older than the newest {settings.max_events_per_user} events of its user"
    kept = _set_aside(kept, hot, ShardReason.HOT_USER, told, findings)
    return _assemble(rows, kept, settings), describe_rejects(rows, findings)


def _set_aside(kept: IntArray, found: Mask, reason: ShardReason, told: str, findings: list[Finding]) -> IntArray:
    """Notes the rows that were found, and returns the others."""
    findings.append((kept[found], reason, told))
    return kept[~found]


def _assemble(rows: Rows, kept: IntArray, settings: ExampleSettings) -> ShardEvents:
    strings = {name: column.subset(kept) for name, column in rows.strings.items()}
    users = strings["user"]
    if len(users) and not users.codes[0]:
        raise ContractError("expected a user in every event, received an empty one")
    user, time_s = users.codes.astype(np.int64) - 1, rows.time_s[kept]
    step, step_offsets = number_steps(user, time_s)
    action = _number_actions(strings["action"])
    price, quantity = rows.numbers["price"][kept], rows.numbers["quantity"][kept]
    bought = (action == ACTIONS.index("purchase")) & (price != NONE)
    parts = split_categories(strings["category_path"], settings.interest_level)
    return ShardEvents(
        users=users.values.slice(1),
        user_offsets=offsets_of(user, users.size - 1),
        user=user,
        time_s=time_s,
        step=step,
        step_offsets=step_offsets,
        session=number_sessions(user, time_s, strings["session"].codes, step, settings.session_gap_minutes * 60),
        action=action,
        item=strings["item"],
        category=parts.category,
        parent=parts.parent,
        child=parts.child,
        brand=strings["brand"],
        platform=strings["platform"],
        text=own_texts(strings["text"], action, settings.text_characters),
        price=price,
        spend=np.where(bought, price * np.where(quantity == NONE, 1.0, quantity), 0.0),
    )


def _number_actions(actions: Codes) -> IntArray:
    """Returns `[N]` index into ACTIONS."""
    names = [name.decode() for name in actions.values.to_pylist()]
    unknown = sorted({names[code] for code in np.unique(actions.codes).tolist()} - set(ACTIONS))
    if unknown:
        raise ContractError(f"expected actions among {', '.join(ACTIONS)}, received {', '.join(map(repr, unknown))}")
    numbers = np.array([ACTIONS.index(name) if name in ACTIONS else -1 for name in names], np.int64)
    return numbers[actions.codes]
