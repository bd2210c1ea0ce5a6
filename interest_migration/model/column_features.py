"""Raw features from users' events, in the graph: what `interest_migration.examples.build.build_features` makes.

The example builder works on Arrow tables of whole logs, a served model has a few events of a few users. Both
definitions are held against each other by a test on random logs; `docs/signatures.md` names where they differ.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from interest_migration.examples.settings import ExampleSettings
from interest_migration.model.column_events import Events, is_new, sessions_back
from interest_migration.model.raw_batch import RawBatch, Tensors
from schemas.events import OWN_TEXT_ACTIONS, PATH_SEPARATOR
from schemas.features import (
    ABSENCE,
    DECAY_HALF_LIFE_DAYS,
    EVENT_ACTION,
    EVENT_AGE,
    EVENT_BRAND,
    EVENT_CATEGORY,
    EVENT_CHILD,
    EVENT_ITEM,
    EVENT_PARENT,
    EVENT_PLATFORM,
    EVENT_PRICE,
    EVENT_SESSION,
    EVENT_TEXT,
    GAP_DEVIATION,
    GAP_LAST,
    GAP_MEAN,
    INTEREST_CATEGORY,
    INTEREST_COUNT,
    INTEREST_DECAYED,
    INTEREST_RECENCY,
    LIFETIME_EVENTS,
    LIFETIME_SPEND,
    LIFETIME_STEPS,
    RECENCY,
    STRENGTH_HALF_LIFE_DAYS,
    TENURE,
    VISIT_RECENCY,
    WINDOW_CATEGORIES,
    WINDOW_DAYS,
    WINDOW_EVENTS,
    WINDOW_SPEND,
    WINDOW_STEPS,
    WINDOW_VISITS,
)
from schemas.signatures import (
    COLUMN_ACTION,
    COLUMN_BRAND,
    COLUMN_ITEM,
    COLUMN_PATH,
    COLUMN_PLATFORM,
    COLUMN_PRICE,
    COLUMN_QUANTITY,
    COLUMN_TEXT,
)

_DAY_S: Final = 86_400
_WINDOWS: Final = np.array([days * _DAY_S for days in WINDOW_DAYS], np.int64)
_STRENGTH: Final = DECAY_HALF_LIFE_DAYS.index(STRENGTH_HALF_LIFE_DAYS)


def make_features(events: Events, settings: ExampleSettings) -> tuple[RawBatch, tf.Tensor]:
    """Makes the inputs of the model.

    Args:
      events: M events of B users.
      settings: The settings that the model was trained with.

    Returns:
      B examples, and `[B, E]` int64, the place of each of their events in the row that was sent, -1 for padding.
    """
    category, parent, child = split_paths(events.values[COLUMN_PATH], settings.interest_level)
    touches = _is_one_of(events.values[COLUMN_ACTION], settings.interest_actions) & (category != "")
    values = {
        EVENT_ITEM: events.values[COLUMN_ITEM],
        EVENT_CATEGORY: category,
        EVENT_PARENT: parent,
        EVENT_CHILD: child,
        EVENT_BRAND: events.values[COLUMN_BRAND],
        EVENT_ACTION: events.values[COLUMN_ACTION],
        EVENT_PLATFORM: events.values[COLUMN_PLATFORM],
        EVENT_TEXT: _own_texts(events, settings.text_characters),
        EVENT_PRICE: _number(events, COLUMN_PRICE),
        EVENT_AGE: events.age_s,
        EVENT_SESSION: sessions_back(events, settings.session_gap_minutes * 60),
    }
    newest = _fits(events, settings.max_events)
    row = tf.boolean_mask(events.row, newest)
    history = {name: _lists(tf.boolean_mask(value, newest), row, events.users) for name, value in values.items()}
    place = _lists(tf.boolean_mask(events.place, newest), row, events.users)
    interests, numbers = _profile(events, category, touches)
    strongest = {name: value[:, : settings.max_interests] for name, value in interests.items()}
    batch = RawBatch(
        events={name: value.to_tensor() for name, value in history.items()},
        kept=tf.sequence_mask(place.row_lengths()),
        interests={name: value.to_tensor() for name, value in strongest.items()},
        rows=tf.sequence_mask(strongest[INTEREST_CATEGORY].row_lengths()),
        numbers=numbers | _totals(events) | _gaps(events) | _visits(events, settings.churn_actions),
    )
    return batch, place.to_tensor(default_value=-1)


def split_paths(paths: tf.Tensor, level: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Splits `[M]` category paths as `interest_migration.examples.categories.split_path` does.

    Returns:
      `[M]` category, parent and child.
    """
    distinct, place = tf.unique(paths)
    names = tf.strings.split(distinct, PATH_SEPARATOR)
    child = tf.where(names.row_lengths() > level + 1, _join(names[:, : level + 2]), "")
    parts = _join(names[:, : level + 1]), _join(names[:, :-1][:, :level]), child
    category, parent, child = (tf.gather(part, place) for part in parts)
    return category, parent, child


def _join(names: tf.RaggedTensor) -> tf.Tensor:
    return tf.strings.reduce_join(names, axis=1, separator=PATH_SEPARATOR)


def _is_one_of(values: tf.Tensor, names: Sequence[str]) -> tf.Tensor:
    return tf.reduce_any(values[:, tf.newaxis] == tf.constant(list(names), tf.string), axis=1)


def _own_texts(events: Events, characters: int) -> tf.Tensor:
    """`[M]` texts of searches, messages and reviews, tidied as `interest_migration.examples.texts.tidy` does."""
    text = events.values[COLUMN_TEXT]
    if not characters:
        return tf.zeros_like(text)
    own = tf.where(_is_one_of(events.values[COLUMN_ACTION], OWN_TEXT_ACTIONS), text, "")
    trimmed = tf.strings.strip(tf.strings.regex_replace(own, r"[\s\x00-\x1f]+", " "))
    return tf.strings.strip(tf.strings.substr(trimmed, 0, characters, unit="UTF8_CHAR"))


def _number(events: Events, column: str) -> tf.Tensor:
    """`[M]` float32, -1 for none and for what is not finite."""
    value = events.values[column]
    return tf.where(tf.math.is_finite(value), value, -1.0)


def _fits(events: Events, limit: int) -> tf.Tensor:
    """`[M]` bool: the newest whole steps within the limit; of a newest step that is too long, its last events."""
    size = _per_row(tf.ones_like(events.row), events)
    behind = tf.cumsum(size)  # [B], one past the last event of each user
    index = tf.range(tf.size(events.row, tf.int64))
    from_end = tf.gather(behind, events.row) - index
    step_from_end = tf.gather(events.of_steps(from_end), events.step)
    in_newest_step = events.age_s == tf.gather(_newest(events.age_s, events.row, events.users), events.row)
    return (step_from_end <= limit) | (in_newest_step & (from_end <= limit))


def _lists(values: tf.Tensor, row: tf.Tensor, users: tf.Tensor) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_value_rowids(values, row, nrows=tf.cast(users, tf.int64), validate=False)


def _per_row(values: tf.Tensor, events: Events) -> tf.Tensor:
    return tf.math.unsorted_segment_sum(values, events.row, events.users)


def _newest(age_s: tf.Tensor, row: tf.Tensor, users: tf.Tensor) -> tf.Tensor:
    """`[B]` smallest age; the largest int64 for users without any."""
    return tf.math.unsorted_segment_min(age_s, row, users)


def _oldest(events: Events) -> tf.Tensor:
    """`[B]` largest age, 0 for users without events."""
    return tf.maximum(tf.math.unsorted_segment_max(events.age_s, events.row, events.users), 0)


def _inside(age_s: tf.Tensor) -> tf.Tensor:
    """`[..., W]` float64: 1 where an age lies in the window."""
    return tf.cast(age_s[:, tf.newaxis] <= _WINDOWS, tf.float64)


def _days(seconds: Any) -> tf.Tensor:
    return tf.cast(seconds, tf.float64) / _DAY_S


def _column(values: tf.Tensor) -> tf.Tensor:
    """`[B, 1]` or `[B, W]` float32."""
    values = tf.cast(values, tf.float32)
    return values[:, tf.newaxis] if values.shape.rank == 1 else values


def _profile(events: Events, category: tf.Tensor, touches: tf.Tensor) -> tuple[Tensors, Tensors]:
    """Interest profile, strongest first; equal ones in the order of their first events. And what counts its rows."""
    row, age_s = tf.boolean_mask(events.row, touches), tf.boolean_mask(events.age_s, touches)
    names, code = tf.unique(tf.boolean_mask(category, touches), tf.int64)
    width = tf.maximum(tf.size(names, tf.int64), 1)
    pair, group = tf.unique(row * width + code, tf.int64)
    size = tf.size(pair)
    newest_s = _newest(age_s, group, size)
    decayed = [
        tf.cast(tf.math.unsorted_segment_sum(0.5 ** (_days(age_s) / days), group, size), tf.float32)
        for days in DECAY_HALF_LIFE_DAYS
    ]
    order = tf.argsort(decayed[_STRENGTH], direction="DESCENDING", stable=True)
    order = tf.gather(order, tf.argsort(tf.gather(pair // width, order), stable=True))
    columns = {
        INTEREST_CATEGORY: tf.gather(names, pair % width),
        INTEREST_COUNT: tf.math.unsorted_segment_sum(tf.ones_like(age_s, tf.float32), group, size),
        INTEREST_RECENCY: tf.cast(_days(newest_s), tf.float32),
        **dict(zip(INTEREST_DECAYED, decayed, strict=True)),
    }
    owner = pair // width
    ranked = {
        name: _lists(tf.gather(value, order), tf.gather(owner, order), events.users) for name, value in columns.items()
    }
    recent = tf.math.unsorted_segment_sum(_inside(newest_s), owner, events.users)
    return ranked, {WINDOW_CATEGORIES: _column(recent)}


def _totals(events: Events) -> Tensors:
    price, quantity = _number(events, COLUMN_PRICE), _number(events, COLUMN_QUANTITY)
    units = tf.where(quantity == -1, 1.0, quantity)
    paid = (events.values[COLUMN_ACTION] == "purchase") & (price != -1)
    spend = tf.where(paid, tf.cast(price, tf.float64) * tf.cast(units, tf.float64), 0.0)
    ones, begins = tf.ones_like(spend), tf.cast(events.starts, tf.float64)
    windows = {WINDOW_EVENTS: ones, WINDOW_STEPS: begins, WINDOW_SPEND: spend}
    totals = {LIFETIME_EVENTS: ones, LIFETIME_STEPS: begins, LIFETIME_SPEND: spend}
    inside = _inside(events.age_s)
    return {
        **{name: _column(_per_row(value[:, tf.newaxis] * inside, events)) for name, value in windows.items()},
        **{name: _column(_per_row(value, events)) for name, value in totals.items()},
    }


def _gaps(events: Events) -> Tensors:
    """Recency, tenure and the days between steps."""
    row, age_s = events.of_steps(events.row), events.of_steps(events.age_s)
    steps = tf.math.unsorted_segment_sum(tf.ones_like(age_s), row, events.users)
    tenure_s = _oldest(events)
    recency_s = tf.where(steps > 0, _newest(age_s, row, events.users), 0)
    gap_s = tf.cast(_gap(age_s, row), tf.float64)
    square = tf.math.unsorted_segment_sum(gap_s**2, row, events.users)
    count, total = tf.cast(tf.maximum(steps - 1, 0), tf.float64), tf.cast(tenure_s - recency_s, tf.float64)
    divisor = tf.maximum(count, 1.0)
    variance = tf.maximum(count * square - total**2, 0.0) / divisor**2
    is_last = tf.cast(age_s == tf.gather(recency_s, row), tf.float64)
    last = tf.math.unsorted_segment_sum(gap_s * is_last, row, events.users)
    return {
        RECENCY: _column(_days(recency_s)),
        TENURE: _column(_days(tenure_s)),
        GAP_MEAN: _column(_days(total / divisor)),
        GAP_DEVIATION: _column(_days(tf.sqrt(variance))),
        GAP_LAST: _column(_days(last)),
    }


def _gap(age_s: tf.Tensor, row: tf.Tensor) -> tf.Tensor:
    """`[S]` seconds from the moment before of the same user, 0 for the first."""
    before = tf.concat([age_s[:1], age_s[:-1]], axis=0)
    return tf.where(is_new(row), tf.zeros_like(age_s), before - age_s)


def _visits(events: Events, churn_actions: Sequence[str]) -> Tensors:
    """What `interest_migration.examples.visits.list_visits` makes."""
    row, age_s = events.of_steps(events.row), events.of_steps(events.age_s)
    if churn_actions:
        marks = tf.cast(_is_one_of(events.values[COLUMN_ACTION], churn_actions), tf.int32)
        visit = tf.math.unsorted_segment_max(marks, events.step, events.steps) > 0
        row, age_s = tf.boolean_mask(row, visit), tf.boolean_mask(age_s, visit)
    known = tf.math.unsorted_segment_sum(tf.ones_like(row, tf.int32), row, events.users) > 0
    since_s = tf.where(known, _newest(age_s, row, events.users), _oldest(events))
    absent_s = tf.maximum(_gap(age_s, row)[:, tf.newaxis] - _WINDOWS, 0)
    absence_s = tf.math.unsorted_segment_sum(absent_s, row, events.users)
    absence_s += tf.where(known[:, tf.newaxis], tf.maximum(since_s[:, tf.newaxis] - _WINDOWS, 0), 0)
    return {
        WINDOW_VISITS: _column(tf.math.unsorted_segment_sum(_inside(age_s), row, events.users)),
        ABSENCE: _column(_days(absence_s)),
        VISIT_RECENCY: _column(_days(since_s)),
    }
