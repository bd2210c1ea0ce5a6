"""Steps and sessions of users, and how many whole steps fit into a history.

A *step* is all events of a user in one second: a basket. Within it there is no order. Sessions are made of whole steps.
"""

import numpy as np
import numpy.typing as npt

from interest_migration.examples.ranges import AnyIntArray, IntArray, run_starts


def number_steps(users: AnyIntArray, times_s: IntArray) -> tuple[IntArray, IntArray]:
    """Numbers the distinct (user, second)s of sorted events.

    Returns:
      `[N]` step of each event, ascending from 0, and `[S + 1]` offsets of the steps.

    Example:
      users [0, 0, 0, 1], times [5, 5, 9, 9] -> steps [0, 0, 1, 2], offsets [0, 2, 3, 4].
    """
    new = np.zeros(len(users), bool)
    new[run_starts(users)] = True
    new[run_starts(times_s)] = True
    return np.cumsum(new) - 1, np.append(np.flatnonzero(new), len(users))


def number_sessions(
    users: IntArray, times_s: IntArray, sources: npt.NDArray[np.int32], steps: IntArray, gap_s: float
) -> IntArray:
    """Numbers the sessions of sorted events.

    A step opens a session if it is the user's first; else, where it and the step before both have session ids of the
    source, if they share none; else, if more than `gap_s` seconds lie between them. Only neighbours decide, so neither
    later events nor a shortened past change where a session begins.

    Args:
      users: `[N]` user of each event, ascending.
      times_s: `[N]` ascending within a user.
      sources: `[N]` code of the source's session id, 0 if it has none.
      steps: `[N]` from `number_steps`.
      gap_s: Longest inactivity within a session.

    Returns:
      `[N]` session of each event, ascending.

    Example:
      One user, times 0, 600, 9000, gap 1800, no ids -> sessions [0, 0, 1].
    """
    firsts = run_starts(steps)
    step_user, step_time = users[firsts], times_s[firsts]
    opens = np.ones(len(firsts), bool)
    named, shared = _compare_sources(sources, steps, len(firsts))
    late = np.diff(step_time) > gap_s
    opens[1:] = np.where(named[1:] & named[:-1], ~shared[1:], late) | (np.diff(step_user) != 0)
    return (np.cumsum(opens) - 1)[steps]


def _compare_sources(
    sources: npt.NDArray[np.int32], steps: IntArray, count: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Returns `[S]` whether a step has session ids, and whether it shares one with the step before."""
    named, shared = np.zeros(count, bool), np.zeros(count, bool)
    rows = np.flatnonzero(sources)
    if len(rows):
        width = int(sources.max()) + 1
        keys = np.unique(steps[rows] * width + sources[rows])
        named[steps[rows]] = True
        shared[keys[np.isin(keys, keys + width)] // width] = True
    return named, shared


def fit_whole_steps(starts: IntArray, ends: IntArray, steps: IntArray, step_offsets: IntArray, limit: int) -> IntArray:
    """Returns where the newest events of each range begin, so that at most `limit` remain.

    A step that does not fit whole is left out whole, unless it is the newest and alone exceeds the limit; then its last
    `limit` events in the shard's sort order remain.

    Args:
      starts: `[E]` first event of each range, the first of a step.
      ends: `[E]` one past the last event, the end of a step; ranges are not empty.
      steps: `[N]` step of each event.
      step_offsets: `[S + 1]` first event of each step, and N.
      limit: Events to keep.

    Example:
      Steps of 2, 3 and 1 events, limit 3 -> only the last step: 3 + 1 exceed 3.
    """
    tight = np.maximum(starts, ends - limit)
    step = steps[tight]
    whole = np.where(step_offsets[step] == tight, tight, step_offsets[step + 1])
    return np.where(whole < ends, whole, tight)
