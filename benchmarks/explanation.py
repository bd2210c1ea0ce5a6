r"""Whether explanations point at what matters: without the event ranked first, an answer moves more than without any.

    python -m benchmarks.explanation --model workspace/demo/served/interests/1 --config configs/demo.yaml \
        --examples workspace/demo/artifacts/BehaviorExampleGen/examples/1/Split-test

Of users whose history lists all their events, the log is rebuilt from the example; the product's example builder makes
features of it with all events, without the one that `explain` ranks first, and without one drawn at random from the
newest 64. Printed per task: the mean change of the answer, and the share of users for whom the first-ranked event moves
it more, with its 95 % interval (bootstrap over users). Users for whom another category comes first without one of the
two events are left out of the task, since the answer is then about something else.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from interest_migration.examples.build import build_features
from interest_migration.examples.settings import ExampleSettings
from pipeline.config import load_config
from schemas.features import (
    CUT_TIME,
    EVENT_ACTION,
    EVENT_AGE,
    EVENT_BRAND,
    EVENT_CATEGORY,
    EVENT_CHILD,
    EVENT_ITEM,
    EVENT_PLATFORM,
    EVENT_PRICE,
    LIFETIME_EVENTS,
    RAW_FEATURES,
)
from schemas.signatures import EXAMPLES, EXPLAIN, EXPLAINED_CATEGORY, EXPLAINED_SCORE, EXPLAINED_TASKS, REASON_EVENT

NEWEST = 64
KINDS = {spec.name: spec.dtype for spec in RAW_FEATURES}


def read(record: bytes) -> dict[str, list[Any]]:
    """Returns the features of an example."""
    features = tf.train.Example.FromString(record).features.feature
    return {
        name: list(getattr(value, value.WhichOneof("kind") or "int64_list").value) for name, value in features.items()
    }


def log_of(example: Mapping[str, list[Any]]) -> pa.Table:
    """Returns the events that an example lists."""
    texts = {
        "item": EVENT_ITEM,
        "action": EVENT_ACTION,
        "brand": EVENT_BRAND,
        "platform": EVENT_PLATFORM,
    }
    ages = np.array(example[EVENT_AGE])
    paths = [child or name for child, name in zip(example[EVENT_CHILD], example[EVENT_CATEGORY], strict=True)]
    columns = {name: [value.decode() or None for value in example[feature]] for name, feature in texts.items()}
    return pa.table(
        {
            "user": ["user"] * len(ages),
            "time_s": pa.array(example[CUT_TIME][0] - ages),
            "category_path": [path.decode() or None for path in paths],
            "price": pa.array([price if price >= 0 else None for price in example[EVENT_PRICE]], pa.float64()),
            **columns,
        }
    )


def encode(events: pa.Table, cut_time_s: int, settings: ExampleSettings) -> bytes:
    """Returns the serialized example that the product's builder makes of one user's events."""
    (row,) = build_features(events, cut_time_s, settings).to_pylist()
    message = tf.train.Example()
    for name, values in row.items():
        kind = {"string": "bytes_list", "int64": "int64_list", "float32": "float_list"}[KINDS[name]]
        getattr(message.features.feature[name], kind).value.extend(values)
    return message.SerializeToString()


def changes(model: Any, record: bytes, settings: ExampleSettings, draw: np.random.Generator) -> Any:
    """Returns `[T, 2]` absolute changes without the first-ranked and without a random event; None if not listed whole.

    Tasks whose first-ranked category changes are NaN: there is then no score to compare.
    """
    example = read(record)
    count = len(example[EVENT_AGE])
    if not 2 <= count == example[LIFETIME_EVENTS][0]:
        return None
    cut, events = example[CUT_TIME][0], log_of(example)
    full = answer(model, encode(events, cut, settings))
    found = np.full((len(EXPLAINED_TASKS), 2), np.nan)
    chosen = full[REASON_EVENT][:, 0]
    random = int(draw.integers(max(0, count - NEWEST), count))
    without = {place: answer(model, encode(drop(events, place), cut, settings)) for place in {*chosen.tolist(), random}}
    for task, first in enumerate(chosen.tolist()):
        for column, place in enumerate((first, random)):
            if without[place][EXPLAINED_CATEGORY][task] == full[EXPLAINED_CATEGORY][task]:
                found[task, column] = abs(without[place][EXPLAINED_SCORE][task] - full[EXPLAINED_SCORE][task])
    return found


def drop(events: pa.Table, place: int) -> pa.Table:
    """Returns the events without one of them."""
    return events.filter(pa.array(np.arange(len(events)) != place))


def answer(model: Any, record: bytes) -> dict[str, Any]:
    """Returns what `explain` says of one example."""
    return {name: value.numpy()[0] for name, value in model(**{EXAMPLES: tf.constant([record])}).items()}


def records(folder: str) -> Iterator[bytes]:
    """Yields serialized examples."""
    paths = sorted(str(path) for path in Path(folder).glob("*.gz"))
    yield from tf.data.TFRecordDataset(paths, compression_type="GZIP").as_numpy_iterator()


def main() -> None:
    """Runs the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="Folder of the SavedModel.")
    parser.add_argument("--config", required=True, type=Path, help="Configuration the model was trained with.")
    parser.add_argument("--examples", required=True, help="Folder of gzip TFRecord files of raw examples.")
    parser.add_argument("--users", type=int, default=200)
    given = parser.parse_args()
    settings, draw = load_config(given.config, ()).examples, np.random.default_rng(0)
    loaded = tf.saved_model.load(given.model)
    rows: dict[bytes, Any] = {}
    for record in records(given.examples):
        user = read(record)["user"][0]
        if user not in rows and (found := changes(loaded.signatures[EXPLAIN], record, settings, draw)) is not None:
            rows[user] = found
        if len(rows) == given.users:
            break
    table = Table("task", "users", "first-ranked", "random", "first-ranked moves it more", "95 % interval")
    for task, name in enumerate(EXPLAINED_TASKS):
        pairs = np.array([row[task] for row in rows.values()]).reshape(-1, 2)
        pairs = pairs[np.isfinite(pairs).all(axis=1) & (pairs.max(axis=1, initial=0) > 1e-9)]
        wins = (pairs[:, 0] > pairs[:, 1]) + 0.5 * (pairs[:, 0] == pairs[:, 1])
        resampled = wins[draw.integers(0, len(wins), (2000, len(wins)))].mean(axis=1)
        low, high = np.percentile(resampled, [2.5, 97.5])
        first, random = pairs.mean(axis=0)
        table.add_row(
            name, str(len(pairs)), f"{first:.4f}", f"{random:.4f}", f"{wins.mean():.3f}", f"{low:.3f} to {high:.3f}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
