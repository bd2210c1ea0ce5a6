"""Users' events from columns: padded rows in any order, as one flat list of events in order.

time_s  [[9, 5, 0], [7, 0, 0]]   action [["view", "view", ""], ["view", "", ""]]   cut_time_s [10, 10]
->  row [0, 0, 1]   age_seconds [5, 1, 3]   place [1, 0, 0]
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import tensorflow as tf

from schemas.signatures import COLUMN_ACTION, COLUMN_CUT, COLUMN_SESSION, COLUMN_TIME, COLUMNS, Column

_DTYPES: Final = {"string": tf.string, "int64": tf.int64, "float32": tf.float32}
_SHAPES: Final = {"[B]": [None], "[B, N]": [None, None]}


@dataclass(frozen=True)
class Events:
    """M events of B users, by user and from old to new; S steps.

    Attributes:
      users: B, a scalar.
      row: `[M]` int64, the user of each event.
      place: `[M]` int64, its place in the row that was sent.
      age_s: `[M]` int64 seconds from the event to the cut, at least 1.
      step: `[M]` int64, the step of each event, ascending from 0.
      values: `[M]` values of the columns.
    """

    users: tf.Tensor
    row: tf.Tensor
    place: tf.Tensor
    age_s: tf.Tensor
    step: tf.Tensor
    values: Mapping[str, tf.Tensor]

    @property
    def starts(self) -> tf.Tensor:
        """`[M]` bool: whether an event is the first of its step."""
        return is_new(self.step)

    def of_steps(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the `[S]` values of the steps, from `[M]` values that are the same within a step."""
        return tf.boolean_mask(values, self.starts)

    @property
    def steps(self) -> tf.Tensor:
        """S, int64."""
        return tf.reduce_max(tf.pad(self.step + 1, [[0, 1]]))


def column_specs() -> list[tf.TensorSpec]:
    """Returns what the signatures take, in the order of `COLUMNS`."""
    return [tf.TensorSpec(_SHAPES[column.shape], _DTYPES[column.dtype], name=column.name) for column in COLUMNS]


def column_default(column: Column) -> tf.Tensor:
    """Returns the default of a column as a tensor that stands for every user and event."""
    return tf.constant([[column.default]], _DTYPES[column.dtype])


def read_events(columns: Mapping[str, Any]) -> Events:
    """Puts events in order; leaves out empty slots and what does not lie before the cut.

    Args:
      columns: Column -> `[B]` or `[B, N]`, see `COLUMNS`; without a key for every column that has none.
    """
    cut, shape = columns[COLUMN_CUT], tf.shape(columns[COLUMN_ACTION])
    users = tf.shape(cut)[0]
    shape = tf.stack([users, shape[1]])
    sent = {name: tf.broadcast_to(value, shape) for name, value in columns.items() if name != COLUMN_CUT}
    time_s = sent.pop(COLUMN_TIME)
    kept = (sent[COLUMN_ACTION] != "") & (time_s < cut[:, tf.newaxis])
    place = tf.argsort(tf.where(kept, time_s, tf.int64.max), axis=1, stable=True)
    there = tf.where(tf.sequence_mask(tf.reduce_sum(tf.cast(kept, tf.int32), axis=1), shape[1]))
    row, place = there[:, 0], tf.cast(tf.gather_nd(place, there), tf.int64)
    flat = row * tf.cast(shape[1], tf.int64) + place
    age_s = tf.gather(cut, row) - tf.gather(tf.reshape(time_s, [-1]), flat)
    step = tf.cumsum(tf.cast(is_new(row) | is_new(age_s), tf.int64)) - 1
    values = {name: tf.gather(tf.reshape(value, [-1]), flat) for name, value in sent.items()}
    return Events(users, row, place, age_s, step, values)


def is_new(values: tf.Tensor) -> tf.Tensor:
    """Returns `[M]` bool: whether a value differs from the one before; True for the first."""
    return tf.concat([tf.ones_like(values[:1], tf.bool), values[1:] != values[:-1]], axis=0)


def sessions_back(events: Events, gap_s: float) -> tf.Tensor:
    """Returns `[M]` int64, sessions back from the newest event's, by the rule of `examples.steps.number_sessions`."""
    row, age_s = events.of_steps(events.row), events.of_steps(events.age_s)
    named, shared = _compare_sessions(events)
    late = tf.cast(tf.pad(age_s[:-1], [[1, 0]])[: tf.size(age_s)] - age_s, tf.float32) > gap_s
    both = named & tf.pad(named[:-1], [[1, 0]])[: tf.size(named)]
    session = tf.cumsum(tf.cast(is_new(row) | tf.where(both, ~shared, late), tf.int64))
    newest = tf.math.unsorted_segment_max(session, row, events.users)
    return tf.gather(tf.gather(newest, row) - session, events.step)


def _compare_sessions(events: Events) -> tuple[tf.Tensor, tf.Tensor]:
    """`[S]` whether a step has session ids, and whether it shares one with the step before."""
    has_id = events.values[COLUMN_SESSION] != ""
    step = tf.boolean_mask(events.step, has_id)
    code = tf.unique(tf.boolean_mask(events.values[COLUMN_SESSION], has_id), tf.int64).idx
    width = tf.reduce_max(tf.pad(code + 1, [[0, 1]]))
    keys = tf.concat([tf.sort(step * width + code), [tf.int64.max]], axis=0)
    before = (step - 1) * width + code
    found = tf.gather(keys, tf.searchsorted(keys, before)) == before
    named = _any(tf.ones_like(found), step, events.steps)
    return named, _any(found, step, events.steps)


def _any(marks: tf.Tensor, step: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    return tf.math.unsorted_segment_sum(tf.cast(marks, tf.int32), step, steps) > 0
