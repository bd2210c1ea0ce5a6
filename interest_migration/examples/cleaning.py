"""What only the whole past of a user shows: duplicates, contradictions, bots and users with too many events.

All functions look at a shard's rows in sorted order (user, time, the other fields) and return a mask of those to set
aside; none loops over rows or users.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from interest_migration.examples.ranges import IntArray, offsets_of
from interest_migration.examples.rows import NONE, Rows
from interest_migration.examples.settings import RateLimit
from interest_migration.examples.steps import fit_whole_steps, number_steps
from schemas.events import REJECT_SCHEMA

Mask = npt.NDArray[np.bool_]
Finding = tuple[IntArray, "ShardReason", str]
"""Indices of rows, why they are set aside, and the same in words."""


class ShardReason(StrEnum):
    """Every reason that needs more than one row, in the order in which they are tried."""

    DUPLICATE = "duplicate"  # equal to another row in every field
    CONFLICTING_DUPLICATE = "conflicting_duplicate"  # contradicts a later row about the same act
    BOT_LIKE_USER = "bot_like_user"  # all events of a user who was faster than people are
    HOT_USER = "hot_user"  # older than the newest `max_events_per_user` of its user


def find_conflicts(rows: Rows, kept: IntArray, fields: Sequence[str]) -> Mask:
    """Finds rows that contradict a later row about the same act.

    Rows with the same user, second, action, item and session tell of one act on one thing; rows without an item are
    never compared. For each of `fields`, the value of the last row (by position) that gives one counts; rows that give
    another are found. No value contradicts nothing.

    Args:
      rows: All rows.
      kept: `[K]` rows to look at, sorted by user and time; no two are equal in every field.
      fields: Names of contract fields.

    Returns:
      `[K]`, true for the rows that are contradicted.

    Example:
      One act, fields ["brand"], in the order of the file: brand A, brand B, no brand -> [True, False, False].
    """
    conflicts = np.zeros(len(kept), np.bool_)
    places, group = _same_acts(rows, kept)
    if not len(places):
        return conflicts
    order = np.lexsort([rows.row[kept[places]], rows.piece[kept[places]], group])
    places, group = places[order], group[order]
    for name in fields:
        values = rows.strings[name].codes if name in rows.strings else rows.numbers[name]
        values, none = values[kept[places]], 0 if name in rows.strings else NONE
        given = np.flatnonzero(values != none)
        if len(given):
            last = given[np.append(np.flatnonzero(np.diff(group[given])), -1)]
            winner = np.full(int(group.max()) + 1, none, values.dtype)
            winner[group[last]] = values[last]
            conflicts[places[given]] |= values[given] != winner[group[given]]
    return conflicts


def _same_acts(rows: Rows, kept: IntArray) -> tuple[IntArray, IntArray]:
    """Returns the places in `kept` whose neighbour has the same user, time, action and item, and their group."""
    same = np.ones(max(len(kept) - 1, 0), np.bool_)
    for column in (rows.strings["user"].codes, rows.time_s, rows.strings["action"].codes, rows.strings["item"].codes):
        values = column[kept]
        same &= values[1:] == values[:-1]
    same &= rows.strings["item"].codes[kept][1:] > 0
    places = np.flatnonzero(np.append(same, False) | np.append(False, same)[: len(kept)])
    run = np.cumsum(np.append(False, ~same))[places]
    session = rows.strings["session"]
    _, group = np.unique(run * session.size + session.codes[kept[places]], return_inverse=True)
    return places, group


def find_bots(rows: Rows, kept: IntArray, limits: Iterable[RateLimit]) -> tuple[Mask, str]:
    """Finds the users who did more than people can.

    Args:
      rows: All rows.
      kept: `[K]` rows to look at, sorted by user and time.
      limits: A user who breaks one of them is found.

    Returns:
      `[K]`, true for all events of such users, and the limits in words.

    Example:
      More than 2 events in 1 minute: a user at seconds 0, 30, 59 is found, one at 0, 30, 60 is not.
    """
    user, time_s = rows.strings["user"].codes[kept], rows.time_s[kept]
    found = np.zeros(rows.strings["user"].size, np.bool_)
    for limit in limits:
        first, last = slice(None, max(len(kept) - limit.events, 0)), slice(limit.events, None)
        fast = (user[last] == user[first]) & (time_s[last] - time_s[first] < limit.minutes * 60)
        found[user[last][fast]] = True
    words = " or ".join(f"more than {limit.events} in {limit.minutes:g} minutes" for limit in limits)
    return found[user], f"an event of a user with {words}"


def find_excess(rows: Rows, kept: IntArray, limit: int) -> Mask:
    """Returns `[K]` whether a sorted event is older than its user's newest `limit`."""
    user = rows.strings["user"].codes[kept]
    offsets = np.unique(np.append(offsets_of(user, rows.strings["user"].size), len(kept)))
    steps, step_offsets = number_steps(user, rows.time_s[kept])
    firsts = fit_whole_steps(offsets[:-1], offsets[1:], steps, step_offsets, limit)
    return np.arange(len(kept)) < np.repeat(firsts, np.diff(offsets))


def describe_rejects(rows: Rows, findings: Sequence[Finding]) -> pa.RecordBatch:
    """Returns the rows set aside as `REJECT_SCHEMA`, in the order of their positions."""
    indices = np.concatenate([found for found, _, _ in findings])
    codes = np.repeat(np.arange(len(findings)), [len(found) for found, _, _ in findings])
    order = np.lexsort([rows.row[indices], rows.piece[indices]])
    indices, codes = indices[order], codes[order]
    reasons = pa.array([str(reason) for _, reason, _ in findings], pa.string()).take(pa.array(codes))
    details = pa.array([detail for _, _, detail in findings], pa.string()).take(pa.array(codes))
    arrays = [pa.array(rows.piece[indices].astype(np.int32)), pa.array(rows.row[indices]), reasons, details]
    return pa.RecordBatch.from_arrays(arrays, schema=REJECT_SCHEMA)
