"""What replayed answers are compared with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from interest_migration.errors import DataError
from schemas.features import CUT_TIME, HORIZONS, RAW_FEATURES, USER, Role, Shape
from schemas.signatures import (
    CHURN_PROBABILITY,
    EXPLAINED_SCORE,
    EXPLAINED_TASKS,
    FORECAST_PROBABILITY,
    INTEREST_PROBABILITY,
    NEW_INTEREST_SHARE,
    NEXT_CATEGORY_PROBABILITY,
    TOP_K,
)

Columns = dict[str, npt.NDArray[Any]]

BATCH: Final = 64
"""Users asked about at once."""


def join(parts: Sequence[Columns]) -> Columns:
    """Joins batches of answers."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def explained_scores(explained: Columns, served: Columns) -> tuple[Columns, Columns]:
    """The scores that both tell: of churn, and of what is ranked first."""
    sources = {f"churn_{horizon}": served[CHURN_PROBABILITY[horizon]] for horizon in HORIZONS}
    sources |= {f"propensity_{horizon}": served[INTEREST_PROBABILITY[horizon]][:, 0] for horizon in HORIZONS}
    sources |= {f"new_interest_{horizon}": served[NEW_INTEREST_SHARE[horizon]][:, 0] for horizon in HORIZONS}
    sources["next_category"] = served[NEXT_CATEGORY_PROBABILITY][:, 0]
    scores = explained[EXPLAINED_SCORE]
    found = {task: scores[:, column] for column, task in enumerate(EXPLAINED_TASKS)}
    return found, {task: sources[task][: len(scores)] for task in EXPLAINED_TASKS}


def first_steps(ahead: Columns, served: Columns) -> tuple[Columns, Columns]:
    """The next category, as paths and as answers tell it."""
    first = ahead[FORECAST_PROBABILITY][:, 0]
    return {"first": first}, {"first": served[NEXT_CATEGORY_PROBABILITY][: len(first)]}


def score_transformed(loaded: Any, records: list[bytes], paths: Sequence[str]) -> Columns:
    """Scores of the transformed examples with the keys of the raw ones, in the order of those."""
    import tensorflow as tf

    from interest_migration.model.inputs import INPUT_SPECS, pad, parsers

    places = {key: place for place, key in enumerate(_keys(tf.constant(records)))}
    found: dict[int, bytes] = {}
    for batch in tf.data.TFRecordDataset(sorted(paths), compression_type="GZIP").batch(1024):
        values = batch.numpy()
        found |= {places[key]: values[row] for row, key in enumerate(_keys(batch)) if key in places}
        if len(found) == len(records):
            break
    if len(found) < len(records):
        raise DataError(f"expected {len(records)} examples among the transformed ones, found {len(found)}")
    ordered = [found[place] for place in range(len(records))]
    parts = []
    for start in range(0, len(ordered), BATCH):
        parsed = tf.io.parse_example(ordered[start : start + BATCH], parsers(INPUT_SPECS))
        parts.append({k: v.numpy() for k, v in loaded.score_transformed(pad(parsed, INPUT_SPECS)).items()})
    return join(parts)


def _keys(records: Any) -> list[tuple[bytes, int]]:
    import tensorflow as tf

    kinds = {USER: tf.io.FixedLenFeature([], tf.string, ""), CUT_TIME: tf.io.FixedLenFeature([], tf.int64, -1)}
    parsed = tf.io.parse_example(records, kinds)
    return list(zip(parsed[USER].numpy().tolist(), parsed[CUT_TIME].numpy().tolist(), strict=True))


def read_histories(records: list[bytes]) -> dict[str, Any]:
    """Reads the `event_*` features of raw examples, `Ragged` by name."""
    import tensorflow as tf

    from interest_migration.ragged import Ragged

    specs = [spec for spec in RAW_FEATURES if spec.role is Role.INPUT and spec.shape is Shape.EVENTS]
    kinds = {spec.name: tf.io.RaggedFeature(tf.as_dtype(spec.dtype), row_splits_dtype=tf.int64) for spec in specs}
    parsed = tf.io.parse_example(records, kinds)
    return {name: Ragged(value.flat_values.numpy(), value.row_splits.numpy()) for name, value in parsed.items()}


def read_names(vocabulary: Path) -> npt.NDArray[Any]:
    """Names by id; id 0 and those beyond have none."""
    lines = vocabulary.read_bytes().split(b"\n")
    lines = lines[:-1] if lines and not lines[-1] else lines
    return np.array([b"", *lines, b""], object)


def softmax(logits: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Shares of `[B, V]` logits."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: npt.NDArray[Any] = odds / odds.sum(axis=1, keepdims=True)
    return shares


def top(scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """`[B, TOP_K]`, best first, 0 where there are fewer."""
    best = -np.sort(-scores, axis=1)[:, :TOP_K]
    return np.pad(best, [(0, 0), (0, TOP_K - best.shape[1])])
