"""What the signature `explain` says of one user, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from interest_migration.errors import DataError
from interest_migration.serving.example_records import read_records
from schemas.features import CUT_TIME, USER
from schemas.signatures import (
    EXAMPLES,
    EXPLAIN,
    EXPLAINED_CATEGORY,
    EXPLAINED_SCORE,
    EXPLAINED_TASK,
    REASON_ACTION,
    REASON_AGE,
    REASON_CATEGORY,
    REASON_CONTRIBUTION,
    REASON_EVENT,
    REASON_INTEREST,
    REASON_INTEREST_CONTRIBUTION,
    REASON_ITEM,
    REASON_NUMBER,
    REASON_NUMBER_CONTRIBUTION,
)

_DAY_SECONDS = 86_400
_SHOWN = 5
_EVENT = (REASON_EVENT, REASON_CONTRIBUTION, REASON_CATEGORY, REASON_ITEM, REASON_ACTION, REASON_AGE)


@dataclass(frozen=True)
class Explanation:
    """The reasons of every task for one user.

    Attributes:
      user: Pseudonym.
      cut_time_s: Unix seconds UTC.
      tasks: For each task a dictionary with `task`, `category`, `score`, and lists of dictionaries `events`,
        `interests`, `numbers`, largest contribution first.
    """

    user: str
    cut_time_s: int
    tasks: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return {"user": self.user, "cut_time_s": self.cut_time_s, "tasks": self.tasks}

    def lines(self) -> Iterator[str]:
        """Yields lines for a person."""
        yield f"User {self.user}"
        for found in self.tasks:
            about = f" {found[EXPLAINED_CATEGORY]}" if found[EXPLAINED_CATEGORY] else ""
            yield f"\n{found[EXPLAINED_TASK].replace('_', ' ')}{about} ({found[EXPLAINED_SCORE]:.3f}) because of"
            for event in found["events"][:_SHOWN]:
                what = event[REASON_CATEGORY] or "no category"
                days = event[REASON_AGE] / _DAY_SECONDS
                yield f"  {event[REASON_CONTRIBUTION]:+.3f}  {event[REASON_ACTION]} of {what}, {days:.1f} days ago"
            for interest in found["interests"][:_SHOWN]:
                yield f"  {interest[REASON_INTEREST_CONTRIBUTION]:+.3f}  everything in {interest[REASON_INTEREST]}"
            for number in found["numbers"][:_SHOWN]:
                yield f"  {number[REASON_NUMBER_CONTRIBUTION]:+.3f}  {number[REASON_NUMBER].replace('_', ' ')}"


def explain_user(model: Path, examples: Path, user: str | None, number: int) -> Explanation:
    """Explains the answers about one user.

    Args:
      model: Folder of the exported model.
      examples: Gzip TFRecord file of raw examples, or a folder of such files.
      user: Pseudonym; their newest example is taken. If None, `number` says which example.
      number: Place of the example among all, from 0.

    Raises:
      DataError: If the model cannot explain, or there is no such example.
    """
    import tensorflow as tf

    record = _find(examples, user, number)
    keys = tf.train.Example.FromString(record).features.feature
    try:
        loaded = tf.saved_model.load(str(model))
        answer = loaded.signatures[EXPLAIN](**{EXAMPLES: tf.constant([record])})
    except (OSError, KeyError) as error:
        raise DataError(
            f"expected a model with the signature {EXPLAIN} in {model}, received {str(error).splitlines()[0][:200]}. "
            "Models of earlier releases have none: train again"
        ) from error
    return Explanation(
        keys[USER].bytes_list.value[0].decode(),
        keys[CUT_TIME].int64_list.value[0],
        tasks_of({name: value.numpy()[0] for name, value in answer.items()}),
    )


def tasks_of(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the reasons of each task from one user's row of the signature's answer."""
    tasks = []
    for place in range(len(answer[EXPLAINED_TASK])):
        row = {name: _plain(values[place]) for name, values in answer.items()}
        events = [
            dict(zip(_EVENT, values, strict=True)) for values in zip(*(row[name] for name in _EVENT), strict=True)
        ]
        tasks.append(
            {
                **{name: row[name] for name in (EXPLAINED_TASK, EXPLAINED_CATEGORY, EXPLAINED_SCORE)},
                "events": [event for event in events if event[REASON_EVENT] >= 0],
                "interests": _pairs(row, REASON_INTEREST, REASON_INTEREST_CONTRIBUTION),
                "numbers": _pairs(row, REASON_NUMBER, REASON_NUMBER_CONTRIBUTION),
            }
        )
    return tasks


def _pairs(row: Mapping[str, Any], name: str, contribution: str) -> list[dict[str, Any]]:
    return [{name: what, contribution: by} for what, by in zip(row[name], row[contribution], strict=True) if what]


def _plain(values: Any) -> Any:
    values = np.asarray(values).tolist()
    if isinstance(values, list):
        return [_plain(value) for value in values]
    return values.decode("utf-8", "replace") if isinstance(values, bytes) else values


def _find(examples: Path, user: str | None, number: int) -> bytes:
    import tensorflow as tf

    found: tuple[int, bytes] | None = None
    for place, record in enumerate(read_records(examples)):
        if user is None and place == number:
            return bytes(record)
        if user is not None and user.encode() in record:
            keys = tf.train.Example.FromString(record).features.feature
            if keys[USER].bytes_list.value[0] == user.encode():
                found = max(found or (0, b""), (keys[CUT_TIME].int64_list.value[0], bytes(record)))
    if found is None:
        raise DataError(
            f"expected an example of {f'user {user}' if user else f'number {number}'}, found none in {examples}"
        )
    return found[1]
