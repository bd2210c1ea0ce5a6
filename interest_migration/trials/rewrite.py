"""Transformed examples as they would be without some items."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from interest_migration.examples.encode import ExampleEncoder
from interest_migration.ragged import Examples, Ragged
from interest_migration.storage.tfrecords import write_tfrecords
from schemas.features import ITEM_IDS, NEXT_ITEMS, TRANSFORMED_FEATURES, Shape, label_name

Mask = npt.NDArray[np.bool_]
_EVENTS = tuple(spec.name for spec in TRANSFORMED_FEATURES if spec.shape is Shape.EVENTS)
_LABEL = label_name(NEXT_ITEMS)


def renumber(cold: Mask) -> npt.NDArray[np.int64]:
    """Returns `[V + 2]` ids of a vocabulary without cold items, which become unknown.

    Args:
      cold: `[V + 2]`, false for "none" and "unknown".

    Example:
      V = 3, item 2 cold -> [0, 1, 3, 2, 3].
    """
    kept = ~cold
    numbers = np.cumsum(kept) - 1
    return np.where(cold, numbers[-1], numbers)


def without_items(examples: Examples, cold: Mask) -> Examples:
    """Returns examples without the events and labels of cold items, with the ids of `renumber`."""
    ids = renumber(cold)
    found = dict(examples)
    kept = ~cold[_ragged(examples, ITEM_IDS).values]
    for name in _EVENTS:
        found[name] = _filter(_ragged(examples, name), kept)
    labels = _ragged(examples, _LABEL)
    found[_LABEL] = _filter(labels, ~cold[labels.values])
    for name in (ITEM_IDS, _LABEL):
        column = _ragged(found, name)
        found[name] = Ragged(ids[column.values], column.offsets)
    return found


def take_rows(examples: Examples, rows: npt.NDArray[np.int64]) -> Examples:
    """Returns some of the examples, in their order in `rows`."""
    return {name: _take(column, rows) for name, column in examples.items()}


def write_examples(examples: Examples, path: Path) -> str:
    """Writes transformed examples to a gzip TFRecord file and returns its path."""
    columns = {name: _lists(column) for name, column in examples.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    batch = pa.RecordBatch.from_pydict(columns)
    write_tfrecords(path, ExampleEncoder().encode(batch))
    return str(path)


def _ragged(examples: Examples, name: str) -> Ragged:
    column = examples[name]
    if not isinstance(column, Ragged):
        raise TypeError(f"expected lists in {name}, received {type(column).__name__}")
    return column


def _filter(column: Ragged, kept: Mask) -> Ragged:
    before = np.concatenate([[0], np.cumsum(kept)])
    return Ragged(column.values[kept], before[column.offsets].astype(np.int64))


def _take(column: Any, rows: npt.NDArray[np.int64]) -> Any:
    if not isinstance(column, Ragged):
        return column[rows]
    lengths = column.lengths[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    places = np.repeat(column.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
    return Ragged(column.values[places], offsets)


def _lists(column: Any) -> pa.Array:
    values, offsets = (
        (column.values, column.offsets)
        if isinstance(column, Ragged)
        else (column.ravel(), np.arange(len(column) + 1) * (column.shape[1] if column.ndim > 1 else 1))
    )
    kind = pa.large_binary() if values.dtype.kind == "O" else None
    return pa.LargeListArray.from_arrays(pa.array(offsets.astype(np.int64)), pa.array(values, kind))
